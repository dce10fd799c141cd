import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { constantTimeComparison } from "./lint/constant-time-comparison.mjs";

/**
 * Which rooms of lib/ a room may import from; a room may always import from itself and from `errors`.
 * Rooms on one level do not import each other, and nothing imports upward.
 */
const base = ["record", "options"];
const middle = [...base, "stores", "session"];
const mayImport = {
  record: [],
  options: ["record"],
  stores: base,
  session: base,
  http: middle,
  admin: middle,
  clientless: middle,
  pages: middle,
  jobs: middle,
};
/** The command line stands above all rooms, and nothing imports from it. */
const rooms = [...Object.keys(mayImport), "cli"];
const topFiles = ["sessions", "options", "resolved-options", "default-sessions", "index", "cli"];

const roomBoundaries = Object.keys(mayImport).map((room) => ({
  files: [`lib/${room}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          ...rooms
            .filter((other) => other !== room && !mayImport[room].includes(other))
            .map((other) => ({ group: [`**/${other}/**`], message: `lib/${room} may not import from lib/${other}.` })),
          {
            regex: `^\\.\\./(?:${topFiles.join("|")})$`,
            message: `lib/${room} may not import from the files above it.`,
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "node_modules/", "**/*.cjs", "**/*.mjs", "bench/.peers/"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: { string: true } }],
      // A store may answer at once or with a promise; a caller that awaits either is right.
      "@typescript-eslint/await-thenable": "off",
      // The interface is asynchronous even where an implementation needs no await.
      "@typescript-eslint/require-await": "off",
      "no-console": "error",
    },
  },
  {
    files: ["lib/**/*.ts", "example-app/**/*.ts"],
    plugins: { coatcheck: { rules: { "constant-time-comparison": constantTimeComparison } } },
    rules: { "coatcheck/constant-time-comparison": "error" },
  },
  ...roomBoundaries,
  {
    files: ["lib/cli/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["../index*", "../cli*", "../default-sessions*"],
              message: "lib/cli may import from Sessions and the rooms below it.",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["lib/*.ts"],
    ignores: ["lib/index.ts", "lib/cli.ts", "lib/default-sessions.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["./index*", "./cli", "./default-sessions*"], message: "Nothing imports upward." }] },
      ],
    },
  },
  {
    files: ["example-app/**/*.ts", "bench/**/*.ts", "test/support/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    // Tests hand in wrong types on purpose and try what an app should not do; answers of a client are `any`.
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      "@typescript-eslint/no-misused-spread": "off",
      "@typescript-eslint/no-dynamic-delete": "off",
      "@typescript-eslint/no-base-to-string": "off",
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/restrict-plus-operands": "off",
      "@typescript-eslint/no-explicit-any": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-misused-promises": "off",
    },
  },
);
