import { Client } from "pg";

/** Where the tests look for PostgreSQL unless `COATCHECK_TEST_POSTGRES` names another server. */
const DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres";

/**
 * Finds the PostgreSQL server for all test files, and sets `COATCHECK_TEST_POSTGRES_FOUND` to its address. Where there
 * is none it says so, and how to get one.
 */
export async function findPostgres(): Promise<void> {
  const url = process.env.COATCHECK_TEST_POSTGRES ?? DEFAULT_URL;
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    process.env.COATCHECK_TEST_POSTGRES_FOUND = url;
  } catch (error) {
    process.stderr.write(NO_POSTGRES(error instanceof Error ? error.message || error.name : String(error)));
  } finally {
    await client.end().catch(() => undefined);
  }
}

const NO_POSTGRES = (reason: string) => `
${"=".repeat(100)}
  THE POSTGRESQL TESTS ARE ${process.env.CI ? "GOING TO FAIL" : "SKIPPED"}: no server answered (${reason}).

  They need a PostgreSQL of version 13 or newer at 127.0.0.1:5432, where the user postgres may connect, such as
    docker run --rm -p 127.0.0.1:5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres
  Or set COATCHECK_TEST_POSTGRES=postgres://user:password@host:port/database of another one. Each test makes a schema
  of its own there, and drops it.
${"=".repeat(100)}
`;
