import { Pool } from "pg";
import type { QueryResult } from "pg";

/** Set by `global-setup.ts` where there is a server. */
const url = process.env.COATCHECK_TEST_POSTGRES_FOUND;

/** The address of the PostgreSQL server, for tests inside `describeOnPostgres`. */
export function postgresUrl(): string {
  if (url === undefined) throw new Error("There is no PostgreSQL: see the start of the output.");
  return url;
}

/**
 * `describe` for tests that need PostgreSQL. Without it they are skipped, and `global-setup.ts` says so; on a build
 * server (`CI`) they fail instead.
 */
export function describeOnPostgres(name: string, body: () => void): void {
  if (url === undefined && !process.env.CI) {
    describe.skip(name, body);
    return;
  }
  describe(name, () => {
    beforeAll(() => void postgresUrl());
    body();
    afterAll(dropSchemas);
  });
}

const schemas: string[] = [];

/** The name of a schema that no other test uses. It is dropped after the suite. */
export function freshSchema(): string {
  const schema = `coatcheck_test_${process.pid}_${Date.now().toString(36)}_${schemas.length}`;
  schemas.push(schema);
  return schema;
}

/** Drops this schema now. */
export async function dropSchema(schema: string): Promise<void> {
  await inPostgres(`DROP SCHEMA IF EXISTS ${quoted(schema)} CASCADE`);
}

/** One statement, on a connection of its own. */
export async function inPostgres(text: string, values: unknown[] = []): Promise<QueryResult<Record<string, unknown>>> {
  const pool = new Pool({ connectionString: postgresUrl(), max: 1 });
  try {
    return await pool.query<Record<string, unknown>>(text, values);
  } finally {
    await pool.end();
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function dropSchemas(): Promise<void> {
  for (const schema of schemas.splice(0)) await dropSchema(schema);
}
