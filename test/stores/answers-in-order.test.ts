import { answersInOrder } from "../../lib/stores/answers-in-order";

it("answers what each promise does, in their order", async () => {
  expect(await answersInOrder([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
  expect(await answersInOrder([])).toEqual([]);
});

it("P7: rejects with the first that does, and leaves none unhandled that is rejected at the same moment", async () => {
  const unhandled = jest.fn();
  process.on("unhandledRejection", unhandled);
  const rejects: ((error: Error) => void)[] = [];
  const promises = Array.from({ length: 3 }, () => new Promise<never>((_, reject) => rejects.push(reject)));
  const answers = answersInOrder<number>([Promise.resolve(0), ...promises]);
  rejects.forEach((reject, n) => reject(new Error(`failed ${n}`)));
  await expect(answers).rejects.toThrow("failed 0");
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
