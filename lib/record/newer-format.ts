import { SessionError } from "../errors";
import { RECORD_VERSION } from "./session-record";

/** A stored session is of a format that a later version has written: it is sound, and that version reads it. */
export class NewerFormatError extends SessionError {
  constructor(id: string, format: number) {
    super(
      "SESSION_UNREADABLE",
      `The session ${id} is stored in format ${format}, and this version of coatcheck reads ${RECORD_VERSION}; upgrade coatcheck.`,
    );
  }
}
