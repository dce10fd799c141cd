/**
 * What promises answer that are settled in their order, as lmdb's writes are; rejects with the first that does. `Promise.all` would make one more promise of
 * each, which Node also tells every `AsyncLocalStorage` of.
 */
export async function answersInOrder<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const answers: T[] = [];
  try {
    for (const promise of promises) answers.push(await promise);
  } catch (error) {
    // Those after it may be rejected too; it was told now.
    for (const promise of promises) promise.catch(() => undefined);
    throw error;
  }
  return answers;
}
