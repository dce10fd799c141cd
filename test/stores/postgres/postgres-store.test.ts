import { Pool } from "pg";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import { storeContract } from "../../../lib/testing/store-contract/store-contract";
import { readsHeadersAlone } from "../../support/header-queries";
import { describeOnPostgres, dropSchema, freshSchema, postgresUrl } from "../../support/postgres-server";

describeOnPostgres("PostgresStore with a url", () => {
  const makeStore = (now: () => number) => {
    const schema = freshSchema();
    return {
      store: new PostgresStore({ url: postgresUrl(), schema, now, timeoutMs: 20_000 }),
      dispose: () => dropSchema(schema),
    };
  };
  storeContract(makeStore, { describe, it });
  readsHeadersAlone(makeStore);
});

describeOnPostgres("PostgresStore with a pool of the app", () => {
  let pool: Pool;
  beforeAll(() => {
    pool = new Pool({ connectionString: postgresUrl(), max: 3 });
  });
  afterAll(() => pool.end());
  const makeStore = (now: () => number) => {
    const schema = freshSchema();
    return {
      store: new PostgresStore({ pool, schema, table: 'a "table" of `ours`', now, timeoutMs: 20_000 }),
      dispose: () => dropSchema(schema),
    };
  };
  storeContract(makeStore, { describe, it });
  readsHeadersAlone(makeStore);
});
