import { DatastoreStore } from "../../lib/stores/datastore/datastore-store";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import type { SessionStore } from "../../lib/stores/store";
import type { StoreOptions } from "../../lib/stores/store-options";

/** Where several processes find the same store. */
export type SharedPlace = { readonly path: string } | { readonly emulatorHost: string; readonly namespace: string };

/** Opens the store that is there. */
export function openSharedStore(place: SharedPlace, options?: StoreOptions): SessionStore {
  if ("path" in place) return new SqliteStore({ ...options, path: place.path });
  // Otherwise Google's client looks for a network of Google's, even though it was given an emulator.
  process.env.METADATA_SERVER_DETECTION ??= "none";
  return new DatastoreStore({ ...options, ...place, projectId: "demo-coatcheck" });
}
