import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { storeContract } from "../../../lib/testing/store-contract/store-contract";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";

/** The machine that runs the tests may be slow. */
const timeoutMs = 20_000;

describeOnEmulator("DatastoreStore", () => {
  storeContract(
    (now) => ({
      store: new DatastoreStore({ emulatorHost: emulatorHost(), namespace: freshNamespace(), timeoutMs, now }),
    }),
    { describe, it },
  );
});
