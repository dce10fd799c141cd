import { setTimeout as delay } from "node:timers/promises";
import { compileScripts } from "../support/compiled-scripts";
import { Arena } from "./arena";
import type { Scripts } from "./arena";
import type { Fault } from "./faulty-store";
import type { Fleet } from "./fleet";

export interface TorturePlan {
  /** It goes on for longer if something that it needs has not happened by then. */
  readonly seconds: number;
  readonly servers: number;
  /** How often each server clears. */
  readonly clearEveryMs?: number;
  /** How many other processes keep a core busy each. */
  readonly neighbours?: number;
}

/** If nobody has noticed a fault by then, it counts as unnoticed. */
const FAULT_MS = 60_000;
const CLEAR_EVERY_MS = 1_000;

/** What the processes run. */
export function tortureScripts(): Scripts {
  return compileScripts(["lib", "test/support/gate.ts", "test/torture"]);
}

/** Tortures a store that servers share; returns what was violated, and figures. */
export async function torture(scripts: Scripts, plan: TorturePlan) {
  const { seconds, servers, clearEveryMs = CLEAR_EVERY_MS, neighbours = 0 } = plan;
  const arena = new Arena(scripts);
  try {
    for (let neighbour = 0; neighbour < neighbours; neighbour += 1) arena.addNeighbour();
    await Promise.all([arena.addServers(servers, clearEveryMs), arena.addFinder()]);
    const hardships = new Hardships(arena.fleet);
    const end = Date.now() + seconds * 1_000;
    const isOver = () => Date.now() >= end && hardships.haveAllHappened;
    await Promise.all([arena.visit(isOver), hardships.happenUntil(isOver)]);

    await arena.checkAll();
    await arena.fleet.killAll();
    const checked = await arena.checkAll();
    await arena.close();
    await arena.checkFile();
    const { violations, figures } = arena;
    return { violations, figures: { ...figures, checked, hardships: Object.fromEntries(hardships.counts) } };
  } finally {
    await arena.dispose();
  }
}

/** What is noticed about a store with this fault; no process is killed. */
export async function tortureFaulty(scripts: Scripts, fault: Fault): Promise<string[]> {
  const arena = new Arena(scripts);
  try {
    await arena.addServers(2, CLEAR_EVERY_MS, fault);
    const end = Date.now() + FAULT_MS;
    await arena.visit(() => arena.violations.length > 0 || Date.now() >= end);
    return arena.violations;
  } finally {
    await arena.dispose();
  }
}

/**
 * What happens to the processes, about once a second: each of these once in every round, in another order each time.
 */
class Hardships {
  readonly counts = new Map<string, number>();
  readonly #all: readonly (readonly [name: string, happens: () => Promise<void>])[];

  constructor(fleet: Fleet) {
    const kill = ["kill", () => fleet.killOne()] as const;
    const killAll = ["kill all", () => fleet.killAll()] as const;
    const stop = ["stop", () => fleet.stopOne()] as const;
    const pause = ["pause", () => fleet.pauseOne()] as const;
    // Windows has no signals for the last two.
    const others = process.platform === "win32" ? [] : [stop, pause];
    this.#all = [kill, kill, kill, kill, kill, killAll, ...others];
  }

  get haveAllHappened(): boolean {
    return this.#all.every(([name]) => this.counts.has(name));
  }

  /** Resolves when all processes are up again. */
  async happenUntil(isOver: () => boolean): Promise<void> {
    const underWay: Promise<void>[] = [];
    while (!isOver()) {
      for (const [name, happens] of this.#all.toSorted(() => Math.random() - 0.5)) {
        await delay(200 + Math.random() * 1_000);
        if (isOver()) break;
        underWay.push(happens());
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      }
    }
    await Promise.all(underWay);
  }
}
