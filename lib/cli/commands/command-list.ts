import type { Command } from "../command";
import { backup } from "./backup";
import { clear } from "./clear";
import { completion } from "./completion";
import { copy } from "./copy";
import { doctor } from "./doctor";
import { kill } from "./kill";
import { list } from "./list";
import { migrate } from "./migrate";
import { secret } from "./secret";
import { show } from "./show";
import { stats } from "./stats";
import { watch } from "./watch";

/** Every command under its name, in the order of `coatcheck --help`. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    ...{ list, watch, show, kill, clear, stats, doctor, copy, backup, migrate, secret },
    completion: completion(() => COMMANDS),
  }),
);
