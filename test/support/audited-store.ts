import type { SessionDelta } from "../../lib/record/session-delta";
import type { EndedRecord, Ending, SessionRecord } from "../../lib/record/session-record";
import type { ClearProgress, FindQuery, SessionStore, SessionTally } from "../../lib/stores/store";

/** The step since which a session exists, and the one since which it belongs to its owner; successors inherit both. */
interface Ancestry {
  readonly owner: string;
  readonly there: number;
  readonly owned: number;
}

/**
 * A store that watches over P2 while others work with the real one behind it. It only counts what was acknowledged, so
 * it reports nothing that may have happened in another order.
 */
export class AuditedStore implements SessionStore {
  /** What must never happen, and did. */
  readonly violations: string[] = [];
  readonly #inner: SessionStore;
  readonly #ids = new Set<string>();
  readonly #ancestry = new Map<string, Ancestry>();
  readonly #parents = new Map<string, string>();
  readonly #dead = new Map<string, string>();
  #step = 0;

  constructor(inner: SessionStore) {
    this.#inner = inner;
  }

  /**
   * Runs a kill. What existed when it started, and what came of that by anything but a login, must be over when it
   * resolves. `owner` is the user whose sessions it kills, undefined for everyone's; `except` is an id that it spares,
   * with its successors.
   */
  async kill<T>(name: string, owner: string | undefined, work: () => Promise<T>, except?: string): Promise<T> {
    const started = (this.#step += 1);
    const answer = await work();
    const query: FindQuery = owner === undefined ? { state: "live" } : { state: "live", owner };
    for await (const { id } of this.#inner.find(query)) {
      const ancestry = this.#ancestry.get(id);
      if (ancestry === undefined || this.#spared(id, except)) continue;
      const since = owner === undefined ? ancestry.there : ancestry.owner === owner ? ancestry.owned : Infinity;
      if (since < started) this.violations.push(`${id} survived ${name}`);
    }
    return answer;
  }

  /** From now on the session must stay over. */
  bury(id: string, why: string): void {
    this.#dead.set(id, this.#dead.get(id) ?? why);
  }

  isDead(id: string): boolean {
    return this.#dead.has(id);
  }

  /** Looks for ended sessions among the live ones. */
  async check(): Promise<void> {
    for await (const { id } of this.#inner.find({ state: "live" })) this.#expectAlive(id, "is found live");
  }

  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    const watch = this.#watch(id, "was loaded");
    const answer = this.#inner.load(id);
    const watched = (record: SessionRecord | undefined) => {
      watch(record !== undefined);
      return record;
    };
    return answer instanceof Promise ? answer.then(watched) : watched(answer);
  }

  async create(record: SessionRecord): Promise<void> {
    this.#expectNewId(record.id);
    await this.#inner.create(record);
    this.#born(record, undefined);
  }

  async update(id: string, delta: SessionDelta): Promise<boolean> {
    const watch = this.#watch(id, "was updated");
    const done = await this.#inner.update(id, delta);
    watch(done);
    return done;
  }

  async mutate(
    id: string,
    change: (record: SessionRecord) => SessionDelta | undefined,
  ): Promise<SessionRecord | undefined> {
    const watch = this.#watch(id, "was changed");
    const record = await this.#inner.mutate(id, change);
    watch(record !== undefined);
    const ancestry = this.#ancestry.get(id);
    if (record !== undefined && ancestry !== undefined && ancestry.owner !== record.owner) {
      this.#ancestry.set(id, { ...ancestry, owner: record.owner, owned: (this.#step += 1) });
    }
    return record;
  }

  async replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    this.#expectNewId(record.id);
    const watch = this.#watch(oldId, "was replaced");
    const old = this.#ancestry.get(oldId);
    const done = await this.#inner.replace(oldId, ending, record);
    watch(done);
    if (!done) {
      // Nothing was written, so the id is still unused; but only a login may go on with it.
      this.#ids.delete(record.id);
      if (ending.reason !== "login")
        this.bury(record.id, `refused: the one before it was over at its ${ending.reason}`);
      return false;
    }
    this.bury(oldId, `ended by ${ending.reason}`);
    this.#born(record, ending.reason === "login" ? undefined : old);
    this.#parents.set(record.id, oldId);
    return true;
  }

  async end(id: string, ending: Ending): Promise<boolean> {
    const watch = this.#watch(id, "was ended a second time");
    const done = await this.#inner.end(id, ending);
    watch(done);
    if (done) this.bury(id, `ended: ${ending.reason}`);
    return done;
  }

  find(query: FindQuery): AsyncIterable<SessionRecord | EndedRecord> {
    return this.#inner.find(query);
  }

  tally(now: number): Promise<readonly SessionTally[]> {
    return this.#inner.tally(now);
  }

  clear(now: number, onProgress?: ClearProgress): Promise<number> {
    return this.#inner.clear(now, onProgress);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #born(record: SessionRecord, old: Ancestry | undefined): void {
    const { id, owner } = record;
    const now = (this.#step += 1);
    this.#ancestry.set(id, { owner, there: old?.there ?? now, owned: old?.owner === owner ? old.owned : now });
  }

  /** Notes whether a session is live at an operation; once it was not, it must never be again. */
  #watch(id: string, what: string): (isLive: boolean) => void {
    const wasDead = this.isDead(id);
    const wasKnown = this.#ancestry.has(id);
    return (isLive) => {
      if (isLive && wasDead) this.#expectAlive(id, what);
      if (!isLive && wasKnown) this.bury(id, "seen to be over");
    };
  }

  #expectAlive(id: string, what: string): void {
    const death = this.#dead.get(id);
    if (death !== undefined) this.violations.push(`${id} ${what}, after it was ${death}`);
  }

  /** Also one whose creation failed, or may have failed: its id is never used again. */
  #expectNewId(id: string): void {
    this.#expectAlive(id, "was to be created again");
    if (this.#ids.has(id)) this.violations.push(`${id} was to be created twice`);
    this.#ids.add(id);
  }

  #spared(id: string, except: string | undefined): boolean {
    for (let at: string | undefined = id; at !== undefined; at = this.#parents.get(at)) if (at === except) return true;
    return false;
  }
}
