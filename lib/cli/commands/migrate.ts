import { postgresRoom } from "../../rooms-on-demand";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS } from "../command-arguments";
import { kindOf, placeFor } from "../with-sessions";
import { UsageError } from "../usage-error";

/** `coatcheck migrate`: makes the tables of PostgresStore. */
export const migrate: Command = {
  summary: "makes the tables of PostgresStore, or prints the SQL that does",
  details:
    "It removes nothing, and may run again, and while the app runs. An address may end in ?schema=NAME&table=NAME.",
  options: {
    store: COMMON_OPTIONS.store,
    print: { type: "boolean", help: "prints the SQL, for a role that may make tables, and connects nowhere" },
  },
  async run({ args, output }) {
    args.assertNoOperands("migrate");
    const place = placeFor(args);
    const { PostgresStore, migrationSql } = postgresRoom();
    const { schema, table } = place.kind === "postgres" ? place : {};
    const names = { ...(schema === undefined ? {} : { schema }), ...(table === undefined ? {} : { table }) };
    if (args.flag("print")) {
      await output.write(migrationSql(names));
      return EXIT_CODE.ok;
    }
    if (place.kind !== "postgres") {
      throw new UsageError(
        `coatcheck migrate is for PostgreSQL; ${kindOf(place)} needs no tables. Name the database with --store postgres://… or COATCHECK_STORE.`,
      );
    }
    const store = new PostgresStore({ ...names, url: place.url });
    try {
      await store.migrate();
    } finally {
      await store.close();
    }
    await output.line("The tables are there.");
    return EXIT_CODE.ok;
  },
};
