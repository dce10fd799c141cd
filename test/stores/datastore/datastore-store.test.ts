import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { storeContract } from "../../../lib/testing/store-contract/store-contract";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { readsHeadersAlone } from "../../support/header-queries";

/** The machine that runs the tests may be slow. */
const timeoutMs = 20_000;

describeOnEmulator("DatastoreStore", () => {
  const makeStore = (now: () => number) => ({
    store: new DatastoreStore({ emulatorHost: emulatorHost(), namespace: freshNamespace(), timeoutMs, now }),
  });
  storeContract(makeStore, { describe, it });
  readsHeadersAlone(makeStore);
});
