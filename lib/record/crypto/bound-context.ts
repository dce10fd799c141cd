/** What an encrypted attribute is bound to, beside its session. Instants in milliseconds since the epoch; `Infinity` allowed. */
export interface AttributeContext {
  readonly name: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly expiresAt: number;
}

const TIME_BYTES = 8;
const LENGTH_BYTES = 4;

/**
 * The additional data that GCM authenticates with an attribute: the envelope's header, the session, the name and the times. Each text follows
 * its length and each time has eight bytes, so no two contexts have the same bytes.
 */
export function boundContext(header: Uint8Array, sessionId: string, context: AttributeContext): Buffer {
  const idBytes = Buffer.byteLength(sessionId);
  const nameBytes = Buffer.byteLength(context.name);
  const bytes = Buffer.allocUnsafe(header.length + 2 * LENGTH_BYTES + idBytes + nameBytes + 3 * TIME_BYTES);
  bytes.set(header);
  let at = bytes.writeUInt32LE(idBytes, header.length);
  at += bytes.write(sessionId, at);
  at = bytes.writeUInt32LE(nameBytes, at);
  at += bytes.write(context.name, at);
  at = bytes.writeDoubleLE(context.createdAt, at);
  at = bytes.writeDoubleLE(context.modifiedAt, at);
  bytes.writeDoubleLE(context.expiresAt, at);
  return bytes;
}
