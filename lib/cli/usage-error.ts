/** The command line was called in a way that means nothing. The message says what to write instead. */
export class UsageError extends Error {}
