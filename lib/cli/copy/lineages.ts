import { createHash } from "node:crypto";
import { SessionError } from "../../errors";
import { isEnded } from "../../record/session-record";
import type { SessionStore } from "../../stores/store";
import { MARK_BYTES, marksOf } from "./copy-marks";

/** How many of the target's sessions are looked for in the source. */
const SAMPLE = 1_000;
const LOADED_AT_ONCE = 100;

/**
 * Which copied sessions of the target come from this source: those of which some session of the same lineage is live in
 * both. A wrong address, or a store that was emptied, has none, and its lack of a session says nothing.
 */
export class Lineages {
  readonly #shared: ReadonlySet<number>;

  private constructor(
    /** That of what is copied from now on. */
    readonly own: number,
    shared: ReadonlySet<number>,
  ) {
    this.#shared = shared;
  }

  static async find(
    own: number,
    source: Pick<SessionStore, "load">,
    target: Pick<SessionStore, "find">,
  ): Promise<Lineages> {
    const found = new Set<number>();
    const looks: Promise<void>[] = [];
    let seen = 0;
    for await (const record of target.find({ state: "live" })) {
      const lineage = isEnded(record) ? undefined : marksOf(record)?.lineage;
      if (lineage === undefined) continue;
      const look = async () => {
        if (await isLive(source, record.id)) found.add(lineage);
      };
      looks.push(look());
      if (looks.length >= LOADED_AT_ONCE) await Promise.all(looks.splice(0));
      if ((seen += 1) >= SAMPLE) break;
    }
    await Promise.all(looks);
    return new Lineages(own, found);
  }

  isShared(lineage: number): boolean {
    return this.#shared.has(lineage);
  }
}

/** The lineage of the store at this address: the same number for the same text. */
export function lineageOf(address: string): number {
  return createHash("sha256").update(address).digest().readUIntBE(0, MARK_BYTES);
}

async function isLive(store: Pick<SessionStore, "load">, id: string): Promise<boolean> {
  try {
    return (await store.load(id)) !== undefined;
  } catch (error) {
    if (error instanceof SessionError && error.code === "SESSION_UNREADABLE") return true;
    throw error;
  }
}
