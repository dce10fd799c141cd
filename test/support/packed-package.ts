import { execFileSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");

/** Packs coatcheck into a folder, as it would be published, with the build of this checkout. */
export function packInto(folder: string): { readonly tarball: string; readonly files: readonly string[] } {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const stdout = execFileSync("npm", args, { cwd: ROOT, encoding: "utf8" });
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}
