import type { Request } from "express";

/** A field of the posted form; empty where it is missing or was sent more than once. */
export function formField(req: Request, name: string): string {
  const fields = (req.body ?? {}) as Record<string, unknown>;
  const value = Object.hasOwn(fields, name) ? fields[name] : "";
  return typeof value === "string" ? value : "";
}
