import { Eta } from "eta";
import type { Express } from "express";
import { basename, join } from "node:path";

const FOLDER = join(__dirname, "views");

/** Makes `res.render(name, locals)` render `views/<name>.eta`. `<%= %>` escapes what it writes. */
export function useViews(app: Express): void {
  const eta = new Eta({ views: FOLDER, cache: true, autoEscape: true });
  app.engine("eta", (path: string, locals: object, done: (error: unknown, html?: string) => void) => {
    done(null, eta.render(basename(path, ".eta"), locals));
  });
  app.set("views", FOLDER);
  app.set("view engine", "eta");
}
