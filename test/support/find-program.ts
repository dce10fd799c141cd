import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is: in one of the folders of `PATH`, or else of those given; undefined where it is in none. */
export function findProgram(name: string, ...folders: readonly string[]): string | undefined {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...folders]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return realpathSync(path);
    } catch {
      // It is in another folder, or nowhere.
    }
  }
  return undefined;
}
