import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { storeContract } from "../../lib/stores/store-contract";

storeContract(
  async (now) => {
    const path = await mkdtemp(join(tmpdir(), "coatcheck-lmdb-"));
    return { store: new LmdbStore({ path, now }), dispose: () => rm(path, { recursive: true }) };
  },
  { describe, it },
);
