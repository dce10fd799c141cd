import { dueBefore, expiresAt, isDue, isExpired, touchAt } from "../../lib/record/expiry";

describe("expiry", () => {
  it("P8: is the earlier of the idle and the absolute limit", () => {
    expect(expiresAt({ idleMs: 100, endsAt: 1000 }, 500)).toBe(600);
    expect(expiresAt({ idleMs: 100, endsAt: 1000 }, 950)).toBe(1000);
    expect(expiresAt({ idleMs: Infinity, endsAt: Infinity }, 950)).toBe(Infinity);
  });

  it("P8: is over at the very millisecond", () => {
    expect(isExpired({ expiresAt: 1000 }, 999)).toBe(false);
    expect(isExpired({ expiresAt: 1000 }, 1000)).toBe(true);
    expect(isExpired({ expiresAt: Infinity }, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it("P8: a touch slides the idle limit and never the absolute one", () => {
    const record = { idleMs: 100, endsAt: 1000, lastSeenAt: 400 };
    expect(touchAt(record, 500, 50)).toEqual({ lastSeenAt: 500, expiresAt: 600, purgeAt: 650 });
    expect(touchAt(record, 980, 50)).toEqual({ lastSeenAt: 980, expiresAt: 1000, purgeAt: 1050 });
  });

  it("P8: a touch by a clock that is behind the last one moves nothing back", () => {
    const record = { idleMs: 100, endsAt: 1000, lastSeenAt: 500 };
    for (const now of [500, 499, 0]) {
      expect(touchAt(record, now, 50)).toEqual({ lastSeenAt: 500, expiresAt: 600, purgeAt: 650 });
    }
  });
});

const DUE_AT = 1_700_000_000_000;

it("P8: a record is due once its purge time lies more than five minutes back", () => {
  expect(isDue({ purgeAt: DUE_AT }, DUE_AT + 5 * 60_000)).toBe(false);
  expect(isDue({ purgeAt: DUE_AT }, DUE_AT + 5 * 60_000 + 1)).toBe(true);
  expect(isDue({ purgeAt: Infinity }, DUE_AT)).toBe(false);
  expect(dueBefore(DUE_AT)).toBe(DUE_AT - 5 * 60_000);
});
