import { readEntity } from "../wire/entity-reader";
import type { Entity, Key, Properties } from "../wire/messages";
import { ProtobufReader } from "../wire/protobuf-reader";

/** An entity as Datastore has sent it. Of its bytes only the name of its key is read at once; who wants all of it gets it. */
export class StoredEntity implements Entity {
  /** The name of its key. */
  readonly id: string;
  readonly #message: Buffer;
  readonly #start: number;
  readonly #end: number;
  #read: Entity | undefined;

  /** The entity's length comes next; it is passed over. */
  constructor(message: Buffer, from: ProtobufReader) {
    this.#message = message;
    this.#end = from.end();
    this.#start = from.at;
    this.id = readName(from, this.#end);
    from.at = this.#end;
  }

  get key(): Key {
    return this.#whole().key;
  }

  get properties(): Properties {
    return this.#whole().properties;
  }

  /** Where its fields end, and a reader that stands before the first. */
  fields(): { readonly from: ProtobufReader; readonly end: number } {
    return { from: new ProtobufReader(this.#message, this.#start), end: this.#end };
  }

  #whole(): Entity {
    if (this.#read === undefined) {
      const { from, end } = this.fields();
      this.#read = readEntity(from, end);
    }
    return this.#read;
  }
}

/** The name in the last element of the key's path. */
function readName(from: ProtobufReader, end: number): string {
  let name = "";
  while (from.at < end) {
    const tag = from.uint32();
    if (tag >>> 3 !== 1) {
      from.skip(tag);
      continue;
    }
    const endOfKey = from.end();
    while (from.at < endOfKey) {
      const part = from.uint32();
      if (part >>> 3 === 2) name = readElement(from);
      else from.skip(part);
    }
  }
  return name;
}

function readElement(from: ProtobufReader): string {
  const end = from.end();
  let name = "";
  while (from.at < end) {
    const tag = from.uint32();
    if (tag >>> 3 === 3) name = from.text();
    else from.skip(tag);
  }
  return name;
}
