import { SessionError } from "../errors";
import { toldLater } from "../forgettable";
import type { OnForgotten } from "../forgettable";
import { CLIENTLESS_SCOPE } from "../record/session-record";
import { newToken, sessionIdOf } from "../record/token";
import type { SessionOrigin, SessionPlace } from "../session/life/session-policy";

/** Where a session without a browser is at home: it has no cookie, and its token is forgotten as soon as it has given the id. */
export class ClientlessPlace implements SessionPlace {
  readonly mayTryAgain = true;
  readonly forgotten: OnForgotten;

  constructor(onError: (error: unknown) => void) {
    this.forgotten = toldLater(onError);
  }

  newId(): string {
    return sessionIdOf(newToken());
  }

  origin(): SessionOrigin {
    return { remoteAddress: "", userAgent: "", scope: CLIENTLESS_SCOPE };
  }

  forgottenAt(): null {
    return null;
  }

  assertHeadersOpen(): void {
    // There is no response that could be under way.
  }

  changing(): void {
    // Until it is closed, everything can be saved.
  }

  assertMayStart(): void {
    throw new SessionError(
      "SESSION_CLIENTLESS",
      "A clientless session belongs to one user until it is closed, so login, logout, reset and regenerate are not for it; close() it, and open another.",
    );
  }

  mayCreate(): boolean {
    return true;
  }

  async wasReplaced(): Promise<boolean> {
    return false;
  }

  moved(): void {
    // Nobody is told a cookie.
  }

  install(): void {
    // `assertMayStart` lets nothing come so far.
  }
}
