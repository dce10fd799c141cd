import type { IncomingMessage } from "node:http";
import { SessionError } from "../errors";
import { sendMessage } from "./page-messages";
import type { MessageTarget } from "./page-messages";
import { PAGE_SCRIPT_HASH } from "./page-script";
import { PageStreams } from "./page-streams";
import type { PagesHost } from "./pages-host";
import { isFromPageScript, pagesHandler } from "./pages-handler";
import type { PagesHandler, PagesSettings } from "./pages-handler";

export { readSessionPagesOptions } from "./pages-options";

/** The open pages of one `Sessions`: `sessions.pages`. */
export class SessionPages {
  readonly #streams: PageStreams;
  readonly #host: PagesHost;
  #isServed = false;

  /** @internal */
  constructor(host: PagesHost) {
    this.#host = host;
    this.#streams = new PageStreams(host);
  }

  /**
   * Sends a message to the open pages of a session, or of all sessions of a user, on whatever instance they are: at
   * once on this one, within `killCheckInterval` on others. A page gets it as the DOM event `coatcheck:message`, whose
   * `detail` is `{ event, data }`. Resolves to how many sessions with open pages it was sent to. `event` is a name of
   * up to 64 letters, digits and `_.:-`; `data` is what JSON can hold, up to 16 KiB. Rejects with `SESSION_ARGUMENT`,
   * or with `SESSION_NOT_FOUND` for a session that is not live; then nothing was sent.
   */
  send(target: MessageTarget, event: string, data?: unknown): Promise<number> {
    return this.#host.given(() => sendMessage(this.#host, target, event, data));
  }

  /**
   * The file name of the script with its hash, `pages.js?…`: under this one, browsers keep it and don't ask for it again
   * until it changes. Write it in the script tag, after the path that `sessionPages` is mounted on.
   */
  get scriptName(): string {
    return `pages.js?${PAGE_SCRIPT_HASH}`;
  }

  /** How many event streams are open in this process. */
  get streams(): number {
    return this.#streams.size;
  }

  /** @internal The handler that `sessionPages` mounts. Throws `SESSION_CONFIG` where there is one already. */
  handler(settings: Omit<PagesSettings, "host" | "streams">): PagesHandler {
    if (this.#isServed) {
      throw new SessionError(
        "SESSION_CONFIG",
        "sessionPages was called twice for the same sessions; mount it once, and load its script from there.",
      );
    }
    this.#isServed = true;
    return pagesHandler({ ...settings, host: this.#host, streams: this.#streams });
  }

  /** @internal Whether a request does not count as activity. */
  isNoActivity(req: IncomingMessage): boolean {
    return this.#isServed && isFromPageScript(req);
  }

  /**
   * Ends the event streams of this process, so that its server can close; browsers come back by themselves, to another
   * instance. `Sessions.close` does it too.
   */
  close(): void {
    this.#streams.close();
  }
}
