import { posix } from "node:path";

/** The files that every room may import. */
const OPEN_TO_ALL = ["errors", "forgettable", "diagnostic-channels"];

const base = ["record", "record/value", "record/crypto", "options/reader"];
const dict = ["session", "session/attributes", "session/life", "session/security-keys", "session/values"];
const contract = ["stores", "stores/guard"];
const below = [...base, ...dict, ...contract];
const adminConsole = [
  "admin/console",
  "admin/console/kill",
  "admin/console/list",
  "admin/console/pages",
  "admin/console/parts",
];
const admin = ["admin", "admin/checked", "admin/listing"];
const clientless = ["clientless", "clientless/tasks"];
const http = ["http", "http/cookie", "http/express-session-store", "http/hold", "http/security-key"];
const sqlite = ["stores/sqlite", "stores/sqlite/file", "stores/sqlite/tables"];
const datastore = [
  ...["stores/datastore", "stores/datastore/calls", "stores/datastore/entity", "stores/datastore/wire"],
];
const postgres = ["stores/postgres"];
const redis = ["stores/redis", "stores/redis/clients"];
const top = ["sessions", "rooms-on-demand", "options"];
const commandLine = ["cli", "cli/commands", "cli/copy", "cli/listing", "cli/watch"];

/**
 * What each room of lib/ may import beside itself, and nothing else. A room is a folder without its sub-rooms, or a
 * file directly in lib/. Rooms on one level don't import each other, and nothing imports upward.
 */
export const MAY_IMPORT = {
  errors: [],
  "diagnostic-channels": [],
  forgettable: [],
  "express-shapes": [],

  record: ["record/value"],
  "record/value": ["record"],
  "record/crypto": ["record", "record/value"],
  "options/reader": ["record"],

  stores: base,
  "stores/guard": ["record", "stores"],
  ...each(sqlite, [...base, "stores"]),
  ...each(datastore, [...base, "stores"]),
  ...each(postgres, [...base, "stores"]),
  ...each(redis, [...base, "stores"]),

  ...each(dict, base),

  ...each(admin, below),
  ...each(adminConsole, [...below, ...admin]),
  ...each(clientless, below),
  "http/cookie": base,
  "http/hold": [],
  "http/security-key": [...below, "http"],
  ...each(["http", "http/express-session-store"], [...below, ...http]),
  jobs: below,
  pages: below,

  options: [...below, ...admin, "rooms-on-demand"],
  "rooms-on-demand": "all",
  sessions: "all",
  wiring: [...below, ...admin, ...clientless, ...http, "options", "pages", "rooms-on-demand"],
  "default-sessions": "all",
  index: "all",
  testing: ["record", "stores", "testing/store-contract", "session", "sessions"],
  "testing/store-contract": ["record", "stores"],
  ...each(commandLine, [...base, ...contract, ...admin, ...sqlite, ...top]),
};

/** Rooms of one family see each other; what one may import, all may. */
function each(family, others) {
  return Object.fromEntries(family.map((room) => [room, [...family, ...others]]));
}

/** What nothing in lib/ imports but the entry points themselves. */
const ENTRIES = [
  ...["index", "default-sessions", "express-shapes", "testing", "testing/store-contract", ...commandLine],
];
const MAY_IMPORT_ENTRIES = {
  testing: ["testing/store-contract", "default-sessions"],
  index: ["default-sessions"],
  ...each(commandLine, []),
};

/** The room of a file, given by its path below lib/ without extension. */
function roomOf(path) {
  const folder = posix.dirname(path);
  return folder === "." ? path : folder;
}

function isAllowed(from, to) {
  if (from === to || OPEN_TO_ALL.includes(to)) return true;
  if (ENTRIES.includes(to)) return MAY_IMPORT_ENTRIES[from]?.includes(to) ?? false;
  const allowed = MAY_IMPORT[from] ?? [];
  return allowed === "all" || allowed.includes(to);
}

/**
 * Reports what a file of lib/ imports from a room from which its own may not: with `import`, `export … from`,
 * `import()`, `require` or `typeof import`.
 */
export const rooms = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      forbidden: "lib/{{from}} may not import from lib/{{to}}.",
      unknown: "lib/{{from}} is not a room yet: say in lint/rooms.mjs what it may import.",
      outside: "A file of lib/ may not import from outside of it.",
    },
  },
  create(context) {
    const file = posix.relative(context.cwd.replaceAll("\\", "/"), context.filename.replaceAll("\\", "/"));
    const path = posix.relative("lib", file).replace(/\.ts$/, "");
    if (path.startsWith("..")) return {};
    const from = roomOf(path);
    const check = (source) => {
      if (source?.type !== "Literal" || typeof source.value !== "string" || !source.value.startsWith(".")) return;
      const target = posix.join(posix.dirname(path), source.value);
      const to = roomOf(target);
      const report = (messageId) => context.report({ node: source, messageId, data: { from, to } });
      if (target.startsWith("..")) report("outside");
      else if (!isAllowed(from, to)) report("forbidden");
    };
    return {
      Program(node) {
        if (!(from in MAY_IMPORT)) context.report({ node, messageId: "unknown", data: { from } });
      },
      ImportDeclaration: ({ source }) => check(source),
      ExportNamedDeclaration: ({ source }) => check(source),
      ExportAllDeclaration: ({ source }) => check(source),
      ImportExpression: ({ source }) => check(source),
      TSImportType: ({ source, argument }) => check(source ?? argument?.literal ?? argument),
      TSExternalModuleReference: ({ expression }) => check(expression),
      CallExpression({ callee, arguments: [source] }) {
        if (callee.type === "Identifier" && callee.name === "require") check(source);
      },
    };
  },
};
