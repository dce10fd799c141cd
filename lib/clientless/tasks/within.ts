import { MAX_TIMER_MS } from "../../record/duration";

/** Waits for a promise, but only so long. Resolves to whether it was settled by then; a failure of it is a settlement, too. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  );
  if (timeoutMs > MAX_TIMER_MS) return settled;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, timeoutMs, false)));
  try {
    return await Promise.race([settled, over]);
  } finally {
    clearTimeout(timer);
  }
}
