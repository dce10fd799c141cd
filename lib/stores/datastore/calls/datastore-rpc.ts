import { setTimeout as sleep } from "node:timers/promises";
import { CallDeadline } from "./call-deadline";
import { DatastoreConnection } from "./datastore-connection";
import type { DatastoreConnectionOptions } from "./datastore-connection";
import { datastoreError, isUnavailable, refusalOf } from "../datastore-errors";
import type { CommitOutcome } from "../datastore-errors";
import { COMMIT_MODE } from "../wire/messages";
import type {
  AggregationResponse,
  CallOptions,
  CommitResponse,
  DatastoreClient,
  EntityResult,
  Key,
  LookupResponse,
  Mutation,
  PropertyFilter,
  QueryResponse,
} from "../wire/messages";

export interface DatastoreRpcOptions extends DatastoreConnectionOptions {
  readonly databaseId: string;
  readonly namespace: string;
  /** The deadline of every call, in milliseconds. */
  readonly timeoutMs: number;
}

export interface EntityCount {
  readonly count: number;
  /** The moment at which they were counted, as Datastore writes it. */
  readonly readTime: object | undefined;
}

/** How often a read is tried again where Datastore was not reached. */
const READ_RETRIES = 2;
const READ_RETRY_MS = 50;

type Call<T> = (client: DatastoreClient, request: object, options: CallOptions) => Promise<readonly [T, ...unknown[]]>;

/** The calls that the store makes, each with a deadline. */
export class DatastoreRpc {
  readonly #connection: DatastoreConnection;
  readonly #partition: Key["partitionId"];
  readonly #deadline: CallDeadline;

  constructor(options: DatastoreRpcOptions) {
    this.#connection = new DatastoreConnection(options);
    this.#partition = { namespaceId: options.namespace, databaseId: options.databaseId };
    this.#deadline = new CallDeadline(options.timeoutMs);
  }

  key(kind: string, id: string): Key {
    return { partitionId: this.#partition, path: [{ kind, name: id }] };
  }

  /** Reads one entity, strongly consistent; only its `properties` where they are given. */
  async lookup(key: Key, properties?: readonly string[]): Promise<EntityResult | undefined> {
    for (;;) {
      const { found, deferred } = await this.lookupAll([key], properties);
      if (deferred.length === 0) return found[0];
    }
  }

  /** Asks once for up to 1,000 entities, strongly consistent. Datastore may return some of them and defer the rest. */
  lookupAll(keys: readonly Key[], properties?: readonly string[]): Promise<LookupResponse> {
    const lookup: Call<LookupResponse> = (client, request, options) => client.lookup(request, options);
    return this.#read("lookup", lookup, { keys, ...maskOf(properties) });
  }

  /**
   * Sends the mutations once and never repeats them by itself: after a lost response, nobody knows whether they were
   * applied. `atomic` applies all or none, in a transaction of their own; otherwise one mutation per entity is allowed.
   */
  async commit(mutations: readonly Mutation[], mode: "single" | "atomic"): Promise<CommitOutcome> {
    const commit: Call<CommitResponse> = (client, request, options) => client.commit(request, options);
    const request =
      mode === "atomic"
        ? { mode: COMMIT_MODE.TRANSACTIONAL, singleUseTransaction: { readWrite: {} }, mutations }
        : { mode: COMMIT_MODE.NON_TRANSACTIONAL, mutations };
    try {
      const { mutationResults } = await this.#call("commit", commit, request);
      return mutationResults.some((result) => result.conflictDetected) ? "conflict" : "applied";
    } catch (error) {
      const refusal = refusalOf(error, mutations);
      if (refusal === undefined) throw datastoreError("commit", error);
      return refusal;
    }
  }

  /** The matching entities, `batchSize` at a time; each batch is asked for when the caller takes it. */
  async *query(
    kind: string,
    filters: readonly PropertyFilter[],
    batchSize: number,
    properties?: readonly string[],
  ): AsyncGenerator<readonly EntityResult[]> {
    const runQuery: Call<QueryResponse> = (client, request, options) => client.runQuery(request, options);
    const query = {
      kind: [{ name: kind }],
      limit: { value: batchSize },
      ...(filters.length === 0 ? {} : { filter: { compositeFilter: { op: "AND", filters } } }),
    };
    const ask = async (startCursor: Uint8Array | string) => {
      const request = { partitionId: this.#partition, query: { ...query, startCursor }, ...maskOf(properties) };
      return (await this.#read("query", runQuery, request)).batch;
    };
    for (let batch = await ask(""); ; batch = await ask(batch.endCursor)) {
      if (batch.entityResults.length > 0) yield batch.entityResults;
      if (batch.moreResults !== "NOT_FINISHED" && batch.moreResults !== "MORE_RESULTS_AFTER_LIMIT") return;
    }
  }

  /**
   * How many entities match, now or at `readTime`, and when that was. Datastore counts them in its indexes and sends
   * none.
   */
  async count(kind: string, filters: readonly PropertyFilter[], readTime?: object): Promise<EntityCount> {
    const run: Call<AggregationResponse> = (client, request, options) => client.runAggregationQuery(request, options);
    const nestedQuery = { kind: [{ name: kind }], filter: { compositeFilter: { op: "AND", filters } } };
    const aggregationQuery = { nestedQuery, aggregations: [{ count: {}, alias: "count" }] };
    const readOptions = readTime === undefined ? undefined : { readTime };
    const { batch } = await this.#read("count", run, { partitionId: this.#partition, aggregationQuery, readOptions });
    const count = Number(batch.aggregationResults[0]?.aggregateProperties.count?.integerValue ?? 0);
    return { count, readTime: batch.readTime ?? undefined };
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #read<T>(name: string, call: Call<T>, request: object): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#call(name, call, request);
      } catch (error) {
        if (!isUnavailable(error) || attempt === READ_RETRIES) throw datastoreError(name, error);
        await sleep(Math.random() * READ_RETRY_MS * 2 ** attempt);
      }
    }
  }

  // The client limits the call alone, but signing in, which comes before, can hang too. Where it leaves no time,
  // nothing is sent: the caller has been told that the call failed.
  #call<T>(name: string, call: Call<T>, request: object): Promise<T> {
    return this.#deadline.within(name, async (end) => {
      const { client, projectId } = await this.#connection.connect();
      const { databaseId } = this.#partition;
      const options: CallOptions = { timeout: this.#deadline.timeLeft(name, end), retry: null };
      const [response] = await call(client, { projectId, databaseId, ...request }, options);
      return response;
    });
  }
}

function maskOf(properties: readonly string[] | undefined): { propertyMask?: object } {
  return properties === undefined ? {} : { propertyMask: { paths: properties } };
}
