import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = join(__dirname, "../..");

/**
 * Makes a project that has coatcheck as it would be installed (the build of this checkout), and these packages beside
 * it; returns its folder.
 */
export function installedProject(packages: readonly string[], manifest: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-project-"));
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "coatcheck"), { recursive: true });
  for (const name of ["package.json", "dist"])
    cpSync(join(ROOT, name), join(modules, "coatcheck", name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(modules, "coatcheck/node_modules"));
  for (const name of packages) linkPackage(folder, name);
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  return folder;
}

/** Puts a package of this checkout into the `node_modules` of a folder. */
export function linkPackage(folder: string, name: string): void {
  const link = join(folder, "node_modules", name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(ROOT, "node_modules", name), link);
}
