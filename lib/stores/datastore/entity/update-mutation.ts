import type { MapDelta, SessionDelta } from "../../../record/session-delta";
import { attributeValue, pageValue, purgeProperties, securityKeyValue, tallyValue } from "./record-entity";
import { propertyName } from "./property-name";
import { embedded, encodedValue, indexedValue, numberValue } from "./property-value";
import type { Key, Mutation, Properties, PropertyTransform, Value } from "../wire/messages";

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

  changeMap("data", delta.data, encodedValue, properties, paths);
  changeMap("attributes", delta.attributes, attributeValue, properties, paths);
  changeMap("keys", delta.keys, securityKeyValue, properties, paths);
  changeMap("pages", delta.pages, pageValue, properties, paths);

  return {
    update: { key, properties },
    propertyMask: { paths },
    propertyTransforms: increments(delta.counters ?? {}),
  };
}

/** What is both set and removed is removed. */
function changeMap<T>(
  name: string,
  map: MapDelta<T> | undefined,
  valueOf: (item: T) => Value,
  properties: Properties,
  paths: string[],
): void {
  if (map === undefined) return;
  const { set = {}, remove = [] } = map;
  const removed = remove.length === 0 ? undefined : new Set(remove);
  let written: Properties | undefined;
  for (const key of Object.keys(set)) {
    const item = set[key];
    if (item === undefined || removed?.has(key) === true) continue;
    const property = propertyName(key);
    (written ??= {})[property] = valueOf(item);
    paths.push(`${name}.${property}`);
  }
  if (written !== undefined) properties[name] = embedded(written);
  for (const key of removed ?? []) paths.push(`${name}.${propertyName(key)}`);
}

function increments(counters: NonNullable<SessionDelta["counters"]>): PropertyTransform[] {
  const transforms: PropertyTransform[] = [];
  for (const name of Object.keys(counters)) {
    transforms.push({ property: `counters.${propertyName(name)}`, increment: numberValue(counters[name] ?? 0) });
  }
  return transforms;
}
