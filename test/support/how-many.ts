/**
 * How many rounds a test that is long by nature makes: fewer in `npm test`, all of them in `npm run test:long`, which
 * runs the files that ask this.
 */
export function howMany(short: number, long: number): number {
  return process.env.COATCHECK_LONG === undefined ? short : long;
}
