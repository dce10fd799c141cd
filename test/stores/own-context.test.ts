import { AsyncLocalStorage } from "node:async_hooks";
import { OwnContext } from "../../lib/stores/own-context";

const requests = new AsyncLocalStorage<string>();

it("what is started in a store's own context belongs to no request, and what awaits it to the caller's", async () => {
  const context = new OwnContext();
  const seen = await requests.run("a request", async () => {
    const inside = await context.run(async () => {
      await null;
      return requests.getStore();
    });
    return [inside, requests.getStore()];
  });
  expect(seen).toEqual([undefined, "a request"]);
});

it("what throws there throws to the caller", () => {
  const fail = () => {
    throw new Error("no room");
  };
  expect(() => new OwnContext().run(fail)).toThrow("no room");
});
