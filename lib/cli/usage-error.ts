/** The command line makes no sense. The message says what to write instead. */
export class UsageError extends Error {}
