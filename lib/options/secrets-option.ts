import { RefusedOptions } from "./reader/refused-options";

const MIN_SECRET_BYTES = 32;
/** Fewer different characters than this are no secret: "aaaa…", "keyboard cat" written over and over. */
const MIN_SECRET_CHARACTERS = 10;
/** What stands in READMEs and tutorials, and what hands type. By chance none of it comes about. */
const EXAMPLE_SECRET =
  /keyboard cat|change[ _-]?me|your[ _-]?secret|supersecret|example|password|correct.?horse|thirtytwo|minimum length|0123456789|1234567890|abcdefgh|qwertyui/i;

/** The option `secrets`: none where it was not given. An empty array is what a missing variable leaves, and would sign nothing. */
export function secretsOption(given: unknown): readonly string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw refused("is an array of strings, the newest first");
  if (given.length === 0) throw refused("has none in it; leave it out to sign and encrypt nothing");
  return given.map((secret: unknown, index) => {
    if (typeof secret !== "string") throw refused(`takes strings, and number ${index} is none`);
    if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) throw refused(`number ${index} has under 32 bytes`);
    if (EXAMPLE_SECRET.test(secret) || new Set(secret).size < MIN_SECRET_CHARACTERS) {
      throw refused(`number ${index} is an example, or easy to guess`);
    }
    return secret;
  });
}

/** Names the secret by its place: the value itself is in no message. */
function refused(what: string): RefusedOptions {
  return new RefusedOptions([`Option secrets ${what}; make a secret with: npx coatcheck secret`]);
}
