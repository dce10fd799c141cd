import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Converter, ReflectionKind } from "typedoc";

/** The entry points of the package: what is imported, and the file of lib that it is. */
export function entryPoints(root) {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  return Object.entries(compilerOptions.paths).map(([name, [file]]) => ({ name, file: join(root, file) }));
}

/** Shows the API as an app sees it: entry points by the names that are imported, and no bookkeeping of types. */
export function asAppsSeeIt(app, entries) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.getReflectionsByKind(ReflectionKind.Module)) {
      const file = project.getReflectionFromSymbolId === undefined ? undefined : entry.sources?.[0]?.fullFileName;
      const known = entries.find((candidate) => candidate.file === file);
      if (known !== undefined) entry.name = known.name;
    }
    // They only keep an app from declaring a key by the name of a method.
    for (const data of project
      .getReflectionsByKind(ReflectionKind.Interface)
      .filter(({ name }) => name === "SessionData"))
      for (const child of [...(data.children ?? [])])
        if (child.type?.name === "ReservedName") project.removeReflection(child);
  });
}
