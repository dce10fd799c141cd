/**
 * How many rounds a test makes that is long by nature: fewer in `npm test`, all of them in `npm run test:long`, which runs the files that ask for this.
 */
export function howMany(short: number, long: number): number {
  return process.env.COATCHECK_LONG === undefined ? short : long;
}
