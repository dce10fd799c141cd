/** What the process ends with. */
export const EXIT_CODE = {
  ok: 0,
  /** It could not be done, or not all of it. */
  failure: 1,
  /** It was called in a way that means nothing; nothing was done. */
  usage: 2,
} as const;
