/** A place where something waits until the test lets it go on. */
export interface Gate {
  /** Called by what has to wait. */
  readonly pass: () => Promise<void>;
  /** Resolves when something waits. */
  readonly reached: Promise<void>;
  readonly open: () => void;
}

export function closedGate(): Gate {
  const reached = signal();
  const opened = signal();
  return {
    pass: () => {
      reached.give();
      return opened.given;
    },
    reached: reached.given,
    open: opened.give,
  };
}

/** A promise, and the function that resolves it. */
export function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = () => {
    // Replaced before anybody can call it: a promise runs its executor at once.
  };
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give: () => give() };
}
