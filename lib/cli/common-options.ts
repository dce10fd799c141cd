import type { CommandOption } from "./command";

/** What all commands on sessions take. */
export const COMMON_OPTIONS = {
  path: { type: "string", value: "DIR", help: "the folder of an embedded store, instead of what the environment says" },
  json: { type: "boolean", help: "answers as JSON" },
} as const satisfies Record<string, CommandOption>;

export const USER_OPTION: CommandOption = {
  type: "string",
  value: "USER",
  help: 'only those of this user; "Unauthenticated" for those of nobody',
};

export const PROJECT_OPTION: CommandOption = {
  type: "string",
  value: "PROJECT",
  help: "only those of this project",
};

export const HELP_OPTION: CommandOption = { type: "boolean", short: "h", help: "this text" };
