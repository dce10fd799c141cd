import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeDriver, peerDriver, peerPath, sqliteDriver } from "../../../lib/stores/sqlite/file/driver";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { storeContract } from "../../../lib/testing/store-contract/store-contract";
import { readsHeadersAlone } from "../../support/header-queries";

const own = nodeDriver() !== undefined;
const peer = peerPath() !== undefined;

(own ? describe : describe.skip)(
  own ? "on Node's own SQLite" : "on Node's own SQLite, which this Node has not",
  contract,
);

(peer ? describe : describe.skip)(peer ? "on the peer" : "on the peer, which is not installed", () => {
  beforeAll(() => {
    // As on a Node without SQLite of its own.
    jest.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
    expect(sqliteDriver()).toBe(peerDriver());
  });
  afterAll(() => jest.restoreAllMocks());
  contract();
});

function contract(): void {
  const makeStore = async (now: () => number) => {
    const path = await mkdtemp(join(tmpdir(), "coatcheck-sqlite-"));
    return { store: new SqliteStore({ path, now }), dispose: () => rm(path, { recursive: true }) };
  };
  storeContract(makeStore, { describe, it });
  readsHeadersAlone(makeStore);
}
