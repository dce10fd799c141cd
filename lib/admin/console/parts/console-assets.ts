import { hash } from "node:crypto";
import { CONSOLE_SCRIPT } from "./console-script";
import { CONSOLE_STYLE } from "./console-style";

/** A file that the pages load. */
export interface ConsoleAsset {
  readonly type: string;
  readonly body: string;
  /** Inside the console. It changes with the content, so that a browser may keep the file for long. */
  readonly path: string;
}

export const STYLE_ASSET = asset("style", "css", "text/css; charset=utf-8", CONSOLE_STYLE);
export const SCRIPT_ASSET = asset("script", "js", "text/javascript; charset=utf-8", CONSOLE_SCRIPT);

/** The asset at this path inside the console. */
export function assetAt(path: string): ConsoleAsset | undefined {
  return [STYLE_ASSET, SCRIPT_ASSET].find((one) => one.path === path);
}

function asset(name: string, extension: string, type: string, body: string): ConsoleAsset {
  return { type, body, path: `/assets/${name}-${hash("sha256", body, "base64url").slice(0, 16)}.${extension}` };
}
