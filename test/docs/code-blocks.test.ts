import { wrongInBlocks } from "./check-blocks";
import { codeBlocks, withoutCodeBlocks } from "./code-blocks";
import { DOCUMENTS, GUIDES, readDocument } from "./documents";
import { wrongCoatcheckCommands } from "./shell-commands";

/** Programs are parsed once for all documents, and checked for each: that takes a while on a busy machine. */
const CHECK_MS = 120_000;

it.each(GUIDES)(
  "the code blocks of %s compile, and their commands exist",
  (document) => {
    expect(wrongInBlocks(document, readDocument(document))).toEqual([]);
  },
  CHECK_MS,
);

it("the commands of coatcheck in the text of all documents exist", () => {
  const wrong = DOCUMENTS.flatMap((document) => {
    const prose = withoutCodeBlocks(document, readDocument(document));
    const commands = [...prose.matchAll(/`(npx coatcheck [^`]*)`/g)].map(([, command = ""]) => command);
    return commands
      .flatMap((command) => wrongCoatcheckCommands(command.replace(/[[\]…]/g, "")))
      .map((message) => `${document}: ${message}`);
  });
  expect(wrong).toEqual([]);
});

describe("a block that is wrong is found", () => {
  const fenced = (language: string, code: string, above = "") =>
    `# Title\n\n${above}\n\`\`\`${language}\n${code}\n\`\`\`\n`;
  const wrongIn = (...texts: string[]) => wrongInBlocks("docs/some.md", texts.join("\n"));

  it.each([
    [
      "a name that coatcheck does not export",
      "ts",
      'import { nothing } from "coatcheck";',
      /docs\/some.md:5: .*nothing/,
    ],
    ["a package that is not there", "ts", 'import "no-such-package";', /:5: .*no-such-package/],
    ["a method that a session lacks", "ts", "\nreq.session.signIn();", /:6: .*signIn/],
    [
      "an option that does not exist",
      "ts",
      'import { sessionMiddleware } from "coatcheck";\nsessionMiddleware({ idle: 1 });',
      /:6: .*idle/,
    ],
    ["a key that no block declares", "ts", "req.session.views = 1;", /:5: .*views/],
    ["a name that nothing gives", "ts", "console.log(unheardOf);", /:5: .*unheardOf/],
    ["a type that strict refuses", "ts", "export const twice = (n) => 2 * n;", /:5: .*implicitly/],
    ["what is no TypeScript", "ts", "const a = ;", /:5: /],
    ["a method that a session lacks, in JavaScript", "js", "\nreq.session.signIn();", /:6: .*signIn/],
    ["a name that CommonJS does not find", "js", 'const { nothing } = require("coatcheck");', /:5: .*nothing/],
    ["what is no JSON", "json", "{ a: 1 }", /:5: /],
    ["what is no YAML", "yaml", "services:\n  shop: [", /:5: /],
    ["a command that does not exist", "sh", "cd app &&  npx coatcheck lst", /:5: .*lst/],
    ["an option of a command that does not exist", "sh", "\nnpx coatcheck list --usr alice | head", /:6: .*--usr/],
    ["a value that an option lacks", "sh", "npx coatcheck list --user  # comment", /:5: .*--user/],
    ["an operand for a command that takes none", "sh", "npx coatcheck clear all", /:5: .*all/],
    ["a script that does not exist", "sh", "npm run bidl", /:5: .*bidl/],
    ["a language that nobody checks", "typescript", "", /:5: .*typescript/],
  ])(
    "%s",
    (_what, language, code, message) => {
      expect(wrongIn(fenced(language, code))).toEqual([expect.stringMatching(message)]);
    },
    CHECK_MS,
  );

  it("but not in a block that a comment exempts and gives a reason for", () => {
    expect(wrongIn(fenced("ts", "const a = ;", "<!-- not compiled: shows a mistake -->\n"))).toEqual([]);
    expect(wrongIn(fenced("ts", "const a = ;", "<!-- not compiled: -->\n"))).toHaveLength(1);
  });

  it("what an earlier block declares, imports or augments is there in a later one, as it is typed", () => {
    const first = fenced(
      "ts",
      'import { createHash } from "node:crypto";\nconst hash = createHash("sha256");\ninterface Tea { name: string }\ndeclare module "coatcheck" { interface SessionData { tea: Tea } }',
    );
    const second = 'const tea: Tea = req.session.get("tea", { name: "black" });\nhash.update(tea.name);';
    expect(wrongIn(first, fenced("ts", `${second}\ncreateHash("md5");`))).toEqual([]);
    expect(wrongIn(first, fenced("ts", "hash.updated(1);"))).toEqual([expect.stringMatching(/:15: .*updated/)]);
    expect(wrongIn(fenced("ts", second))).not.toEqual([]);
  });

  it("a block with a file's name in its first line can be imported", () => {
    const worker = fenced("ts", "// worker.ts\nexport const work = (job: string) => job.length;");
    expect(wrongIn(worker, fenced("ts", '// app.ts\nimport { work } from "./worker.js";\nwork("tea");'))).toEqual([]);
    expect(wrongIn(worker, fenced("ts", '// app.ts\nimport { work } from "./worker.js";\nwork(1);'))).toHaveLength(1);
    expect(wrongIn(fenced("ts", 'import { work } from "./worker.js";\nwork(1);'))).toHaveLength(1);
  });
});

it("a block within a list loses its indent, and keeps its line", () => {
  expect(codeBlocks("a.md", "1. text\n\n   ```sh\n   npm start\n     indented\n   ```\n")).toEqual([
    { document: "a.md", line: 4, language: "sh", code: "npm start\n  indented\n", exemption: undefined },
  ]);
});
