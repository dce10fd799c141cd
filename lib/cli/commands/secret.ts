import { randomBytes } from "node:crypto";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";

/** `coatcheck secret`: prints a new secret for the option `secrets`: 32 random bytes, as base64url. */
export const secret: Command = {
  summary: "prints a new secret for the option secrets",
  options: {},
  async run({ args, output }) {
    args.assertNoOperands("secret");
    await output.line(randomBytes(32).toString("base64url"));
    return EXIT_CODE.ok;
  },
};
