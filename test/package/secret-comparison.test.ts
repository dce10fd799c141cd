import { execFile } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");

/** Ways to compare a secret whose duration reveals something about it. */
const LEAKS = [
  "token === given",
  "given !== user.passwordHash",
  "given == session.staticKey",
  "securityKey! > (given as string)",
  "createHmac('sha256', key).update(text).digest('hex') === given",
  "Buffer.from(given).equals(createHmac('sha256', key).update(text).digest())",
  "Buffer.compare(mac(key, text), Buffer.from(given)) === 0",
  "mac(key, text).compare(Buffer.from(given)) === 0",
  "(await hash(given)) === text",
  "expected === given",
  "copied.startsWith(given)",
  "secrets.includes(given)",
  "Object.is(signature, given)",
  "`sid=${token}` === given",
];
/** Comparisons that reveal nothing about a secret. */
const SAFE = [
  "timingSafeEqual(mac(key, text), Buffer.from(given))",
  "token === undefined",
  "typeof token === 'string'",
  "token.length === 43",
  "token !== null && isToken(token)",
  "text.indexOf('.') < 0",
  "key === given",
  "hashes.length > 1",
];

const CODE = `
  import { createHmac, timingSafeEqual } from "node:crypto";
  declare const [token, given, signature, text, key, secrets, hashes]: any[];
  declare const [session, user, securityKey, mac, hash, isToken]: any[];
  const expected = Buffer.from(mac(key, text)).toString("base64url");
  let copied = "";
  copied = token.slice(1);
  export const all = [
    ${[...LEAKS, ...SAFE].join(",\n    ")},
  ];
`;

/**
 * Lints the text on its standard input as the content of each file named in its arguments. Without types, which take
 * ten seconds.
 */
const LINT = `
  import { text } from "node:stream/consumers";
  import { ESLint } from "eslint";
  import tseslint from "typescript-eslint";
  const eslint = new ESLint({ overrideConfig: [tseslint.configs.disableTypeChecked] });
  const code = await text(process.stdin);
  const told = await Promise.all(process.argv.slice(1).map((filePath) => eslint.lintText(code, { filePath })));
  console.log(JSON.stringify(told.flat().map(({ messages }) => messages)));
`;

it("lint reports comparisons of secrets that are not constant-time, in the library and in the example app, and no others", async () => {
  const lines = CODE.split("\n");
  const told = await lint(["lib/record/token.ts", "lib/http/cookie/cookie-signature.ts", "example-app/users.ts"], CODE);
  const named = told.map((messages) =>
    messages
      .filter(({ ruleId }) => ruleId === "coatcheck/constant-time-comparison")
      .map(({ line }) => lines[line - 1]!.trim().replace(/,$/, "")),
  );
  expect(named).toEqual([LEAKS, LEAKS, LEAKS]);
});

interface Message {
  readonly ruleId: string | null;
  readonly line: number;
}

/** What `npm run lint` would say of each file if this were its text. */
function lint(files: readonly string[], text: string): Promise<readonly (readonly Message[])[]> {
  return new Promise((resolve, reject) => {
    const args = ["--input-type=module", "--eval", LINT, ...files];
    const child = execFile(process.execPath, args, { cwd: ROOT }, (error, stdout) => {
      if (error !== null) reject(new Error("The linter failed.", { cause: error }));
      else resolve(JSON.parse(stdout) as Message[][]);
    });
    child.stdin!.end(text);
  });
}
