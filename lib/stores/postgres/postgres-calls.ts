import { createRequire } from "node:module";
import { SessionError } from "../../errors";
import { within } from "../../record/duration";
import { isInTheWay, isLost, isMissingTable, isWithoutPrivilege, postgresError, timeoutError } from "./postgres-errors";
import type { Row } from "./record-rows";
import { assertKnownVersion, TableNames, tablesSql } from "./schema";
import type { TablePlace } from "./schema";
import type { Query, Statements } from "./statements";

/** What is used of a `Pool` of `pg`. */
export interface PostgresPool {
  /** Takes a connection from the pool. */
  connect(taken: (error: Error | undefined, client: PostgresClient | undefined) => void): void;
  /** Listens for failures of idle connections. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Stops listening. */
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** Closes the pool; called only where the store has made it. */
  end(): Promise<void>;
}

interface PostgresClient {
  query(config: {
    readonly text: string;
    readonly values?: unknown[];
    readonly rowMode: "array";
    readonly types: { getTypeParser(): (value: string) => unknown };
  }): Promise<unknown>;
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

interface PostgresResult {
  readonly rows: readonly Row[];
  readonly rowCount: number | null;
}

export interface PostgresSource extends TablePlace {
  readonly pool?: PostgresPool | undefined;
  readonly url?: string | undefined;
  readonly poolOptions?: Readonly<Record<string, unknown>> | undefined;
  readonly timeoutMs: number;
}

/** How often a statement is sent that PostgreSQL gives up because of others. */
const ATTEMPTS = 8;

/** Every column as it is sent, whatever the app has told `pg` to make of a type. */
const RAW = { rowMode: "array", types: { getTypeParser: () => (value: string) => value } } as const;

const ignore = () => undefined;

/**
 * Calls of PostgreSQL, each with a deadline. The first makes the tables where they are missing. A connection that is
 * not answered in time is closed, so that the pool makes another one.
 */
export class PostgresCalls {
  readonly #pool: PostgresPool;
  readonly #isOwn: boolean;
  readonly #place: TablePlace;
  readonly #statements: Statements;
  readonly #timeoutMs: number;
  #isPrepared = false;
  #preparing: Promise<void> | undefined;

  /** Throws `SESSION_CONFIG` where `pg` is missing and is needed for a URL. */
  constructor({ pool, url, poolOptions, timeoutMs, ...place }: PostgresSource, statements: Statements) {
    this.#isOwn = pool === undefined;
    this.#pool = pool ?? ownPool({ ...poolOptions, connectionString: url }, timeoutMs);
    this.#place = place;
    this.#statements = statements;
    this.#timeoutMs = timeoutMs;
    // Without a listener, an idle connection that is lost ends the process. The pool replaces it by itself.
    this.#pool.on("error", ignore);
  }

  /** Sends a statement. `isRead`: it may be sent again where the connection was lost. */
  async send(call: string, query: Query, isRead = false): Promise<PostgresResult> {
    if (!this.#isPrepared) await this.prepare();
    const end = performance.now() + this.#timeoutMs;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#sendOnce(call, query, end);
      } catch (error) {
        const mayHelp = isInTheWay(error) ? attempt < ATTEMPTS : isRead && attempt === 1 && isLost(error);
        if (mayHelp && !(error instanceof SessionError) && performance.now() < end) continue;
        // They are made again, or looked for, before the next call.
        if (isMissingTable(error)) this.#isPrepared = false;
        throw postgresError(call, error);
      }
    }
  }

  /** Makes the tables where they are missing. Rejects where they can't be used. */
  prepare(): Promise<void> {
    this.#preparing ??= this.#prepare().finally(() => (this.#preparing = undefined));
    return this.#preparing;
  }

  /** Ends the pool, if it is ours. */
  async close(): Promise<void> {
    if (this.#isOwn) await within(this.#timeoutMs, this.#pool.end(), ignore);
    else this.#pool.removeListener("error", ignore);
  }

  async #prepare(): Promise<void> {
    const end = performance.now() + this.#timeoutMs;
    try {
      if (!(await this.#areThere(end))) await this.#make(end);
    } catch (error) {
      throw postgresError("making its tables", error);
    }
    this.#isPrepared = true;
  }

  /** Whether the tables are there, in a version that we know. */
  async #areThere(end: number): Promise<boolean> {
    try {
      const { rows } = await this.#sendOnce("the version", { text: this.#statements.version, values: [] }, end);
      const version = Number(rows[0]?.[0] ?? 0);
      assertKnownVersion(version, new TableNames(this.#place));
      return version > 0;
    } catch (error) {
      if (isMissingTable(error)) return false;
      throw error;
    }
  }

  async #make(end: number): Promise<void> {
    const { schema } = this.#place;
    const text = "SELECT to_regnamespace(quote_ident($1)) IS NOT NULL";
    const { rows } = await this.#sendOnce("its schema", { text, values: [schema] }, end);
    try {
      // Several statements are one text without values, which is sent at once and needs no state of the connection.
      const sql = tablesSql(this.#place, { hasSchema: rows[0]?.[0] === "t" });
      await this.#sendOnce("making its tables", { text: sql, values: [] }, end);
    } catch (error) {
      if (!isWithoutPrivilege(error)) throw error;
      throw new SessionError(
        "SESSION_STORE",
        `The role may not make the tables of PostgresStore in the schema ${schema}. Have their owner run the SQL of ` +
          "`npx coatcheck migrate --print`, and give the role SELECT, INSERT, UPDATE and DELETE on them.",
        { cause: postgresError("making its tables", error) },
      );
    }
    await this.#areThere(end);
  }

  /** Rejects with `pg`'s own error, or with `SESSION_STORE_TIMEOUT`. `end` is by `performance.now()`. */
  #sendOnce(call: string, query: Query, end: number): Promise<PostgresResult> {
    const line = new Line();
    const timeLeft = Math.max(1, Math.ceil(end - performance.now()));
    return within(timeLeft, line.send(this.#pool, query), () => {
      line.cut();
      throw timeoutError(call, this.#timeoutMs);
    });
  }
}

/** One connection of the pool, for one statement. */
class Line {
  #client: PostgresClient | undefined;
  #isCut = false;

  async send(pool: PostgresPool, { text, values }: Query): Promise<PostgresResult> {
    const client = await connectionOf(pool);
    this.#client = client;
    if (this.#isCut) {
      this.#release(true);
      throw new Error("The statement was not sent, because its time was over.");
    }
    let isUsable = false;
    try {
      // Without values, `pg` sends the text as a simple query, which may hold several statements.
      const config = values.length === 0 ? { text, ...RAW } : { text, values: [...values], ...RAW };
      const result = (await client.query(config)) as PostgresResult;
      isUsable = true;
      return result;
    } catch (error) {
      isUsable = !isLost(error) && !text.startsWith("BEGIN");
      throw error;
    } finally {
      this.#release(isUsable);
    }
  }

  /** Closes the connection: nothing can be known of what is under way on it. */
  cut(): void {
    this.#isCut = true;
    this.#release(false);
  }

  #release(isUsable: boolean): void {
    const client = this.#client;
    this.#client = undefined;
    // A connection that is closed may still emit an error, so the listener stays.
    if (isUsable) client?.removeListener("error", ignore);
    client?.release(!isUsable);
  }
}

/**
 * Takes a connection, and listens for its failure in the call that hands it out: `pg` stops listening there, and a
 * server that shuts down may send that in the packet in which it reports to be ready. Without a listener, that ends the
 * process.
 */
function connectionOf(pool: PostgresPool): Promise<PostgresClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      client?.on("error", ignore);
      if (client === undefined) reject(error ?? new Error("The pool has no connection."));
      else resolve(client);
    });
  });
}

// Loaded here and not by an import, because only users of PostgreSQL have it installed.
function ownPool(options: object, timeoutMs: number): PostgresPool {
  const load = createRequire(__filename);
  let pg: { readonly Pool: new (options: object) => PostgresPool };
  try {
    pg = load("pg") as typeof pg;
  } catch (cause) {
    const text = "PostgresStore needs the package pg (version 8) for a url: run `npm install pg`.";
    throw new SessionError("SESSION_CONFIG", text, { cause });
  }
  const common = { connectionTimeoutMillis: timeoutMs, keepAlive: true, fallback_application_name: "coatcheck" };
  return new pg.Pool({ ...common, ...options });
}
