import { SessionError } from "../../../lib/errors";
import { isDueTo, started, storeError, timeoutError } from "../../../lib/stores/guard/store-calls";

describe("the errors of a store", () => {
  it("P7: are SessionErrors that name the operation, with the store's own error as their cause", () => {
    const own = new Error("disk full");
    const message = 'The session store failed at "update".';
    expect(storeError("update", own)).toMatchObject({ code: "SESSION_STORE", status: 503, message, cause: own });
  });

  it("are left as they are where the store made SessionErrors", () => {
    const own = new SessionError("SESSION_CONFLICT", "It went on changing.");
    expect(storeError("mutate", own)).toBe(own);
  });

  it("P7: are the same where it throws instead of rejecting", () => {
    const own = new Error("not connected");
    const start = () => {
      throw own;
    };
    expect(() => started("load", start)).toThrow(expect.objectContaining({ code: "SESSION_STORE", cause: own }));
    expect(started("load", () => "answer")).toBe("answer");
  });

  it("name the operation and the option where it did not answer in time", () => {
    const message = 'The session store did not answer "end" within 30 ms (storeTimeout).';
    expect(timeoutError("end", 30)).toMatchObject({ code: "SESSION_STORE_TIMEOUT", status: 503, message });
  });

  it("tell whether they are due to another error", () => {
    const own = new Error("from the app");
    expect(isDueTo(own, own)).toBe(true);
    expect(isDueTo(storeError("mutate", own), own)).toBe(true);
    expect(isDueTo(storeError("mutate", new Error("another")), own)).toBe(false);
  });
});
