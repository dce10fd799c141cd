import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { constantTimeComparison } from "./lint/constant-time-comparison.mjs";
import { rooms } from "./lint/rooms.mjs";

export default tseslint.config(
  {
    ignores: ["dist/", "coverage/", "node_modules/", "**/*.cjs", "**/*.mjs", "bench/.peers/", "test/docs/given*.d.ts"],
  },
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
  {
    files: ["lib/**/*.ts"],
    plugins: { rooms: { rules: { "may-import": rooms } } },
    rules: { "rooms/may-import": "error" },
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
