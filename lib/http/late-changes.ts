/** How many places are known at most; what comes from others then is told each time. */
const MAX_PLACES = 1000;

/** The places in an app's code that have changed a session too late, so that each is warned of once. */
export class LateChanges {
  readonly #places = new Set<string>();

  /** Whether this error, which was made there, is the first from its place. */
  isFirst(error: Error): boolean {
    const place = error.stack ?? "";
    if (this.#places.has(place)) return false;
    if (this.#places.size < MAX_PLACES) this.#places.add(place);
    return true;
  }
}
