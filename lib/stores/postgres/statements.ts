import { BYTES_SENT, GUEST_USER } from "../../record/session-record";
import type { FindQuery } from "../store";
import {
  ENDED_COLUMNS,
  ENDING_COLUMNS,
  HEADER_COLUMNS,
  INSERTED_COLUMNS,
  KEPT_COLUMNS,
  LIVE_COLUMNS,
  MAPS,
  textColumn,
} from "./record-rows";
import { ownerPrefix, sweepOf } from "./schema";
import type { TableNames } from "./schema";

/** A statement with its values, which are never part of its text. */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The texts of the statements. Each is one step, whatever else happens at the same time. */
export class Statements {
  readonly load: string;
  readonly loadEnded: string;
  readonly insert: string;
  readonly update: string;
  readonly end: string;
  readonly replace: string;
  readonly tally: string;
  readonly clearLive: string;
  readonly clearEnded: string;
  readonly version: string;
  readonly #names: TableNames;

  constructor(names: TableNames) {
    const { live, ended, meta } = names;
    this.#names = names;
    this.version = `SELECT version FROM ${meta}`;
    this.load = `SELECT ${LIVE_COLUMNS.join()} FROM ${live} WHERE id = ANY($1::text[])`;
    this.loadEnded = `SELECT ${ENDED_COLUMNS.join()} FROM ${ended} WHERE id = ANY($1::text[])`;
    this.insert = insertText(live);
    this.update = updateText(live);
    this.end = `WITH ${endedBy(names)} SELECT id FROM gone`;
    this.replace = `WITH ${endedBy(names)}, made AS (
  INSERT INTO ${live} (${INSERTED}) SELECT ${insertedParameters(2)} FROM gone
) SELECT FROM gone`;
    this.tally = `SELECT project, scope, (owner = '${GUEST_USER}')::text, count(*)
FROM ${live} WHERE expires_at > $1 GROUP BY 1, 2, 3`;
    this.clearLive = `WITH due AS (
  SELECT id, purge_at FROM ${live} WHERE sweep <= $2::bigint AND (sweep < $2::bigint OR purge_at < $1::float8)
  ORDER BY sweep LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM ${live} AS s USING due WHERE s.id = due.id AND s.purge_at < $1::float8 RETURNING 1
), moved AS (
  UPDATE ${live} AS s SET sweep = ${sweepOf("s.purge_at")} FROM due
  WHERE s.id = due.id AND due.purge_at >= $1::float8 AND s.purge_at >= $1::float8
) SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM due)`;
    this.clearEnded = `WITH due AS (
  SELECT id FROM ${ended} WHERE purge_at < $1::float8 ORDER BY purge_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM ${ended} AS e USING due WHERE e.id = due.id AND e.purge_at < $1::float8 RETURNING 1
) SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM due)`;
  }

  /**
   * Reads rows from after the id `last` on, at most `limit`. The columns are those of the record, and whether it
   * matches: of rows that don't, only the last is read, so that the search can go on from there. The last column says
   * how many rows were looked at.
   */
  page(query: FindQuery, last: string, limit: number): Query {
    const values: unknown[] = [];
    const value = (given: unknown) => `$${values.push(given)}`;
    const table = query.state === "live" ? this.#names.live : this.#names.ended;
    const columns = columnsOf(query).join();
    const within = [`id > ${value(textColumn(last))}`];
    if (query.id !== undefined) within.push(`id = ${value(textColumn(query.id))}`);
    if (query.owner !== undefined) {
      const owner = `${value(textColumn(query.owner))}::text`;
      within.push(`${ownerPrefix("owner")} = ${ownerPrefix(owner)}`, `owner = ${owner}`);
    }
    const most = value(limit);
    const matching = (["project", "scope"] as const).flatMap((name) => {
      const wanted = query[name];
      return wanted === undefined ? [] : [`${name} = ${value(textColumn(wanted))}`];
    });
    const page = `SELECT ${columns} FROM ${table} WHERE ${within.join(" AND ")} ORDER BY id LIMIT ${most}`;
    if (matching.length === 0) return { text: page, values };
    const isMatch = matching.join(" AND ");
    const text = `WITH page AS (${page}) SELECT ${columns}, (${isMatch})::text, (SELECT count(*) FROM page)
FROM page WHERE (${isMatch}) OR id = (SELECT max(id) FROM page) ORDER BY id`;
    return { text, values };
  }
}

export function columnsOf({ state, fields }: FindQuery): readonly string[] {
  if (state === "ended") return ENDED_COLUMNS;
  return fields === "header" ? HEADER_COLUMNS : LIVE_COLUMNS;
}

const INSERTED = [...INSERTED_COLUMNS.map(([name]) => name), "version", "sweep"].join();

/** Inserts the rows that `$1` holds as JSON, and returns the ids of those that were not there. */
function insertText(live: string): string {
  const columns = INSERTED_COLUMNS.map(([name]) => `n.${name}`);
  const asked = INSERTED_COLUMNS.map((column) => column.join(" "));
  return `INSERT INTO ${live} (${INSERTED}) SELECT ${columns.join()}, 0, ${sweepOf("n.purge_at")}
FROM jsonb_to_recordset($1::jsonb) AS n(${asked.join(", ")}) ON CONFLICT (id) DO NOTHING RETURNING id`;
}

/** The parameters of the values that a record is inserted with, the first of which has this number. */
function insertedParameters(first: number): string {
  const parameters = INSERTED_COLUMNS.map(([, type], index) => `$${first + index}::${type}`);
  const purgeAt = parameters[INSERTED_COLUMNS.findIndex(([name]) => name === "purge_at")] ?? "";
  return [...parameters, "0", sweepOf(purgeAt)].join(", ");
}

/** Deletes the live rows of the ends that `$1` holds as JSON, and keeps who, when and why where that is to be kept. */
function endedBy({ live, ended }: TableNames): string {
  const asked = ["id text", "ended_at float8", "reason text", "ended_by text", "message text", "purge_at float8"];
  const counter = `s.counters -> '${BYTES_SENT}'`;
  const bytes = `CASE WHEN jsonb_typeof(${counter}) = 'number' THEN (${counter})::float8 END AS bytes_sent`;
  const told = [...KEPT_COLUMNS.map((column) => `s.${column}`), ...ENDING_COLUMNS.map((column) => `a.${column}`)];
  const replaced = ENDED_COLUMNS.slice(1).map((column) => `${column} = excluded.${column}`);
  return `gone AS (
  DELETE FROM ${live} AS s USING jsonb_to_recordset($1::jsonb) AS a(${asked.join(", ")})
  WHERE s.id = a.id RETURNING ${[...told, bytes].join(", ")}
), kept AS (
  INSERT INTO ${ended} (${ENDED_COLUMNS.join()}) SELECT ${ENDED_COLUMNS.join()} FROM gone WHERE purge_at > ended_at
  ON CONFLICT (id) DO UPDATE SET ${replaced.join(", ")}
)`;
}

/** Writes the changes that `$1` holds as JSON, and returns the ids of those for which there was a row. */
function updateText(live: string): string {
  const scalars = ["last_seen_at", "idle_ms", "expires_at", "purge_at"];
  const set = [
    "version = s.version + 1",
    ...["owner", ...scalars].map((name) => `${name} = coalesce(d.${name}, s.${name})`),
    // Earlier only: what is later the clearing finds out by itself.
    `sweep = least(s.sweep, ${sweepOf("d.purge_at")})`,
    ...MAPS.map(
      (map) => `${map} = CASE WHEN d.${map} IS NULL THEN s.${map} ELSE (s.${map} - d.${map}_gone) || d.${map} END`,
    ),
    `counters = CASE WHEN d.counters IS NULL THEN s.counters ELSE s.counters || (
      SELECT coalesce(jsonb_object_agg(c.key, coalesce((s.counters -> c.key)::numeric, 0) + c.value::numeric), '{}')
      FROM jsonb_each_text(d.counters) AS c
    ) END`,
  ];
  const columns = [
    ...["id text", "version bigint", "owner text", "counters jsonb"],
    ...scalars.map((name) => `${name} float8`),
    ...MAPS.flatMap((map) => [`${map} jsonb`, `${map}_gone text[]`]),
  ];
  return `UPDATE ${live} AS s SET ${set.join(", ")}
FROM jsonb_to_recordset($1::jsonb) AS d(${columns.join(", ")})
WHERE s.id = d.id AND (d.version IS NULL OR s.version = d.version) RETURNING s.id`;
}
