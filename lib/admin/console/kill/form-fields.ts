import type { ConsoleRequest } from "../console-visit";

const MAX_BYTES = 16 * 1024;
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:\s*;|\s*$)/i;

/** Reads a field of a form. */
export type FormFields = (name: string) => string | undefined;

/** Why a form can't be read, as an HTTP status. */
export type FormProblem = 400 | 413 | 415;

/**
 * The fields of the form in a request: those that a parser of the app's has left in `req.body`, or, where nothing has read the body yet, by
 * reading it. Resolves to a status for what is no form, or one over 16 KiB.
 */
export async function formFields(req: ConsoleRequest): Promise<FormFields | FormProblem> {
  if (req.readableDidRead || req.readableEnded) return parsedFields(req.body);
  const type = req.headers["content-type"];
  if (type === undefined || !FORM_TYPE.test(type) || req.headers["content-encoding"] !== undefined) return 415;
  const text = await bodyText(req);
  if (text === undefined) return 413;
  const fields = new URLSearchParams(text);
  return (name) => {
    const [only, second] = fields.getAll(name);
    return second === undefined ? only : undefined;
  };
}

function parsedFields(body: unknown): FormFields | FormProblem {
  if (typeof body !== "object" || body === null) return 400;
  return (name) => {
    const value: unknown = Object.hasOwn(body, name) ? Reflect.get(body, name) : undefined;
    return typeof value === "string" ? value : undefined;
  };
}

/** Undefined where it is too long; the rest of that is not read. */
async function bodyText(req: ConsoleRequest): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // A body that is left must not take the connection with it: there is an answer to send.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
