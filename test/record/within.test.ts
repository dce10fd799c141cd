import { within } from "../../lib/record/duration";

const never = new Promise<never>(() => undefined);

describe("within", () => {
  it("settles as the work does where that is in time", async () => {
    const failure = new Error("failed");
    await expect(within(60_000, Promise.resolve(1), () => 2)).resolves.toBe(1);
    await expect(within(60_000, Promise.reject(failure), () => 2)).rejects.toBe(failure);
  });

  it("settles as the timeout says where the work is late", async () => {
    const late = new Error("late");
    const fail = () => {
      throw late;
    };
    await expect(within(5, never, () => 2)).resolves.toBe(2);
    await expect(within(5, never, fail)).rejects.toBe(late);
  });
});
