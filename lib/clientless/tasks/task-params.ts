import { SessionError } from "../../errors";
import { quoted, shownText } from "../../record/shown-text";
import { refusedPart } from "../../record/value/storable-copy";

/** A copy of what a task is started with, so that neither side sees what the other changes. `SESSION_ARGUMENT` where it can't be cloned. */
export function taskParams(name: string, params: unknown): unknown {
  try {
    return structuredClone(params);
  } catch {
    // The error of structuredClone is not kept as the cause: it quotes the value.
    const { path, is, instead } = refusedPart("params", params);
    throw new SessionError(
      "SESSION_ARGUMENT",
      `start(${quoted(name)}, params): ${shownText(path)} is ${shownText(is)}, and params can't be cloned; ${instead}.`,
    );
  }
}
