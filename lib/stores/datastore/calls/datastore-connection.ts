import { createRequire } from "node:module";
import { SessionError } from "../../../errors";
import { quoted } from "../../../record/shown-text";
import { readCommitResponse, readLookupResponse } from "../wire/response-reader";
import { connectionError } from "../datastore-errors";
import { requestWriter } from "../wire/request-writer";
import type { Protobuf, RequestWriter } from "../wire/request-writer";
import type { DatastoreClient } from "../wire/messages";

/** Where the database is, and how to sign in there. */
export interface DatastoreConnectionOptions {
  /**
   * Default `DATASTORE_PROJECT_ID`, `DATASTORE_DATASET` or `GOOGLE_CLOUD_PROJECT`, then the project of the credentials.
   */
  readonly projectId?: string;
  /**
   * `host:port` of an emulator, which is used without credentials. Default `DATASTORE_EMULATOR_HOST`; `""` for none.
   */
  readonly emulatorHost?: string;
  /** Further options of `v1.DatastoreClient`: `credentials`, `keyFilename`, `apiEndpoint`, `grpc.*`, … */
  readonly clientOptions?: Readonly<Record<string, unknown>>;
}

export interface Connected {
  readonly client: DatastoreClient;
  readonly projectId: string;
}

/** By the prefix `demo-`, Google's tools know a project that never reaches a real one; the emulator takes any name. */
const EMULATOR_PROJECT = "demo-coatcheck";

/**
 * The client, which is made at the first call. A client that could not sign in is thrown away, so that the next call
 * tries again.
 */
export class DatastoreConnection {
  readonly #projectId: string | undefined;
  readonly #makeClient: () => DatastoreClient;
  readonly #writer: RequestWriter | undefined;
  #connected: Promise<Connected> | undefined;

  /** `SESSION_CONFIG` where `@google-cloud/datastore` is not installed, or the emulator's address can't be read. */
  constructor(options: DatastoreConnectionOptions) {
    const { DatastoreClient, insecureCredentials, protobuf } = loadClient();
    this.#writer = protobuf && requestWriter(protobuf);
    const emulator = options.emulatorHost ?? process.env.DATASTORE_EMULATOR_HOST;
    this.#projectId = options.projectId ?? projectOfEnvironment() ?? (emulator ? EMULATOR_PROJECT : undefined);
    const address = emulator ? { ...addressOf(emulator), sslCreds: insecureCredentials(), ...NOBODY } : {};
    const project = this.#projectId === undefined ? {} : { projectId: this.#projectId };
    this.#makeClient = () => new DatastoreClient({ fallback: false, ...project, ...address, ...options.clientOptions });
  }

  /** Rejects with `SESSION_STORE` where no project or no credentials are found. */
  async connect(): Promise<Connected> {
    this.#connected ??= this.#connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw connectionError(error);
    });
    return await this.#connected;
  }

  async close(): Promise<void> {
    const connected = await this.#connected?.catch(() => undefined);
    await connected?.client.close();
  }

  // Called here because the client's own methods would call it too, and leave its rejection unhandled.
  async #connect(): Promise<Connected> {
    const client = this.#makeClient();
    const projectId = this.#projectId ?? (await client.getProjectId());
    speakOwnWay((await client.initialize()) as GrpcStub, this.#writer);
    return { client, projectId };
  }
}

/**
 * What the client makes its calls with over gRPC. With the client option `fallback` it uses HTTP instead, and has no
 * such stub.
 */
interface GrpcStub {
  lookup: StubMethod;
  commit: StubMethod;
  makeUnaryRequest?(path: string, serialize: unknown, deserialize: unknown, ...call: readonly unknown[]): unknown;
}

type StubMethod = ((...call: readonly unknown[]) => unknown) & {
  readonly path?: string;
  readonly requestSerialize?: unknown;
};

/**
 * From now on lookups and commits are written and read by our own code, which takes a fraction of the time. Without a
 * writer, the client writes them.
 */
function speakOwnWay(stub: GrpcStub, writer: RequestWriter | undefined): void {
  const { lookup, commit } = stub;
  const makeUnaryRequest = stub.makeUnaryRequest?.bind(stub);
  if (makeUnaryRequest === undefined || lookup.path === undefined || commit.path === undefined) return;
  const paths = { lookup: lookup.path, commit: commit.path };
  const write = writer ?? { lookup: lookup.requestSerialize, commit: commit.requestSerialize };
  stub.lookup = (...call) => makeUnaryRequest(paths.lookup, write.lookup, readLookupResponse, ...call);
  stub.commit = (...call) => makeUnaryRequest(paths.commit, write.commit, readCommitResponse, ...call);
}

// Any credentials will do: given some, the client doesn't look for real ones (or a metadata server), which it would not
// use.
const NOBODY = { credentials: { client_email: "nobody@emulator", private_key: "none" } };

function projectOfEnvironment(): string | undefined {
  const { DATASTORE_PROJECT_ID, DATASTORE_DATASET, GOOGLE_CLOUD_PROJECT } = process.env;
  return DATASTORE_PROJECT_ID || DATASTORE_DATASET || GOOGLE_CLOUD_PROJECT || undefined;
}

function addressOf(host: string): { servicePath: string; port: number } {
  const address = /^(?:https?:\/\/)?(?<name>\[[0-9a-f:.]+\]|[^/:\s]+):(?<port>\d{1,5})\/?$/i.exec(host)?.groups;
  if (address?.name === undefined) {
    throw new SessionError(
      "SESSION_CONFIG",
      `DATASTORE_EMULATOR_HOST (or emulatorHost) is ${quoted(host)}; write host:port, such as 127.0.0.1:8081.`,
    );
  }
  return { servicePath: address.name, port: Number(address.port) };
}

interface LoadedClient {
  readonly DatastoreClient: new (options: object) => DatastoreClient;
  readonly insecureCredentials: () => unknown;
  readonly protobuf: Protobuf | undefined;
}

/** What is used of `google-gax`. */
interface ClientBase {
  readonly grpc: { readonly credentials: { createInsecure(): unknown } };
  readonly protobuf?: Protobuf;
}

// Loaded here and not by an import, because it takes several hundred milliseconds and only users of Datastore have it
// installed.
function loadClient(): LoadedClient {
  const load = createRequire(__filename);
  try {
    const { v1 } = load("@google-cloud/datastore") as { v1: Pick<LoadedClient, "DatastoreClient"> };
    // The client's own copies of gRPC and protobufjs, wherever the package manager has put them.
    const ofClient = createRequire(load.resolve("@google-cloud/datastore"));
    const { grpc, protobuf } = ofClient("google-gax") as ClientBase;
    const insecureCredentials = () => grpc.credentials.createInsecure();
    return { DatastoreClient: v1.DatastoreClient, insecureCredentials, protobuf };
  } catch (error) {
    throw new SessionError(
      "SESSION_CONFIG",
      "DatastoreStore needs the package @google-cloud/datastore (version 10 or 11): run `npm install @google-cloud/datastore`.",
      { cause: error },
    );
  }
}
