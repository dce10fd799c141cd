import { SessionWatch } from "../../lib/session/session-watch";
import type { SessionRecord } from "../../lib/record/session-record";
import { sessionRecord } from "../support/session-records";

const NEVER = 2 ** 30;

describe("SessionWatch", () => {
  let records: Map<string, SessionRecord>;
  let asked: string[];
  let now: number;
  let watch: SessionWatch;
  let load: (id: string) => SessionRecord | undefined | Promise<SessionRecord | undefined>;

  beforeEach(() => {
    records = new Map();
    asked = [];
    now = Date.now();
    load = (id) => records.get(id);
    watch = new SessionWatch({
      load: (id) => {
        asked.push(id);
        return load(id);
      },
      now: () => now,
      intervalMs: NEVER,
      runOutside: (start) => start(),
    });
  });
  afterEach(() => watch.stop());

  function live(): SessionRecord {
    const record = sessionRecord({ expiresAt: now + 1_000 });
    records.set(record.id, record);
    return record;
  }

  it("asks for all sessions in one turn, each once, however many watch it", () => {
    const [one, two] = [live(), live()];
    for (const { id } of [one, two, one]) watch.watch(id, { onEnded: () => undefined });
    load = () => new Promise(() => undefined);
    void watch.check();
    expect(asked).toEqual([one.id, two.id]);
  });

  it("does not ask again while a check is under way", async () => {
    const { id } = live();
    watch.watch(id, { onEnded: () => undefined });
    let answer = () => undefined as void;
    load = () => new Promise((resolve) => (answer = () => resolve(records.get(id))));
    const checking = watch.check();
    await watch.check();
    expect(asked).toHaveLength(1);
    answer();
    await checking;
  });

  it("tells each watcher once that its session has ended, and whether it has expired", async () => {
    const [ended, expired, other] = [live(), live(), live()];
    const told: unknown[] = [];
    for (const { id } of [ended, ended, expired, other]) watch.watch(id, { onEnded: (has) => told.push([id, has]) });
    records.delete(ended.id);
    records.set(expired.id, { ...expired, expiresAt: now });
    await watch.check();
    await watch.check();
    expect(told).toEqual([
      [ended.id, false],
      [ended.id, false],
      [expired.id, true],
    ]);
    expect(watch.size).toBe(1);
  });

  it("tells at once what ended in this process", () => {
    const { id } = live();
    const onEnded = jest.fn();
    watch.watch(id, { onEnded });
    watch.ended(id);
    watch.ended(id);
    expect(onEnded).toHaveBeenCalledTimes(1);
    expect(onEnded).toHaveBeenCalledWith(false);
    expect(asked).toEqual([]);
  });

  it("tells nobody who has stopped, and nobody of a store that fails", async () => {
    const [one, two] = [live(), live()];
    const onEnded = jest.fn();
    const stop = watch.watch(one.id, { onEnded });
    watch.watch(two.id, { onEnded });
    stop();
    stop();
    watch.ended(one.id);
    load = () => Promise.reject(new Error("down"));
    await watch.check();
    load = () => {
      throw new Error("down");
    };
    await watch.check();
    expect(onEnded).not.toHaveBeenCalled();
    expect(watch.size).toBe(1);
  });

  it("gives each record that a check has found", async () => {
    const record = live();
    const onChecked = jest.fn();
    watch.watch(record.id, { onEnded: () => undefined, onChecked });
    await watch.check();
    expect(onChecked).toHaveBeenCalledWith(record);
  });

  it("is silent once it is stopped", () => {
    const { id } = live();
    const onEnded = jest.fn();
    watch.watch(id, { onEnded });
    watch.stop();
    watch.ended(id);
    watch.watch(id, { onEnded });
    expect(watch.size).toBe(0);
    expect(onEnded).not.toHaveBeenCalled();
  });
});
