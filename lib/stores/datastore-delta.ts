import type { MapDelta, SessionDelta } from "../record/session-delta";
import { attributeValue, pageValue, purgeProperties, securityKeyValue, tallyValue } from "./datastore-entity";
import { propertyName } from "./datastore-name";
import { encodedValue, indexedValue, mapValue, numberValue } from "./datastore-value";
import type { Key, Mutation, Properties, Value } from "./datastore-wire";

/**
 * The mutation that writes what the delta names and nothing else: a property path that is masked and has no value is deleted,
 * and one that is not masked stays. Counters are added to by the server. It fails where there is no such entity.
 */
export function updateMutation(key: Key, id: string, delta: SessionDelta): Mutation {
  const properties: Properties = {};
  const paths: string[] = [];

  const set = (name: string, value: Value) => {
    properties[name] = value;
    paths.push(name);
  };
  if (delta.owner !== undefined) set("owner", indexedValue(delta.owner));
  if (delta.lastSeenAt !== undefined) set("lastSeenAt", numberValue(delta.lastSeenAt));
  if (delta.idleMs !== undefined) set("idleMs", numberValue(delta.idleMs));
  if (delta.expiresAt !== undefined) set("expiresAt", numberValue(delta.expiresAt));
  if (delta.expiresAt !== undefined && delta.group !== undefined) {
    set("tally", tallyValue(id, delta.group, delta.expiresAt));
  }
  if (delta.purgeAt !== undefined) {
    Object.assign(properties, purgeProperties(id, delta.purgeAt));
    paths.push("purgeAt", "sweep");
  }

  const change = <T>(name: string, map: MapDelta<T> | undefined, valueOf: (item: T) => Value) => {
    if (map === undefined) return;
    const removed = new Set(map.remove);
    const written = Object.entries(map.set ?? {}).filter(([inner]) => !removed.has(inner));
    if (written.length > 0) properties[name] = mapValue(written, valueOf);
    for (const inner of [...written.map(([key]) => key), ...removed]) paths.push(`${name}.${propertyName(inner)}`);
  };
  change("data", delta.data, encodedValue);
  change("attributes", delta.attributes, attributeValue);
  change("keys", delta.keys, securityKeyValue);
  change("pages", delta.pages, pageValue);

  return {
    update: { key, properties },
    propertyMask: { paths },
    propertyTransforms: Object.entries(delta.counters ?? {}).map(([name, by]) => ({
      property: `counters.${propertyName(name)}`,
      increment: numberValue(by),
    })),
  };
}
