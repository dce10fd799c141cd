import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * A package that is measured beside ours and is none of our devDependencies, since it would bring dozens of packages
 * that nothing else here needs. The benchmark installs it while it runs.
 */
export interface PeerPackage {
  readonly name: string;
  /** The exact version. */
  readonly version: string;
}

const reasons = new Map<PeerPackage, string | undefined>();

/** Installs a package, once. Returns why it can't be had, in words; `undefined` if it is there. */
export function installPeer(peer: PeerPackage): string | undefined {
  if (!reasons.has(peer)) reasons.set(peer, install(`${peer.name}@${peer.version}`));
  return reasons.get(peer);
}

/** Imports a module of an installed package, by the name that an app would import it by. */
export async function importPeer(module: string): Promise<unknown> {
  const path = createRequire(join(peersFolder(), "from-here.js")).resolve(module);
  return await import(pathToFileURL(path).href);
}

function install(specifier: string): string | undefined {
  const options = ["--prefix", peersFolder(), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    execFileSync("npm", ["install", specifier, ...options], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString() || String(error);
    console.error(said);
    return `${specifier} could not be installed: ${said.split("\n")[0]}`;
  }
}

/**
 * Outside the project, where a peer finds none of our devDependencies that it could use: better-auth traces every query
 * where it finds OpenTelemetry.
 */
function peersFolder(): string {
  const { PEERS_FOLDER } = process.env;
  if (PEERS_FOLDER === undefined) throw new Error("PEERS_FOLDER names the folder into which peers are installed.");
  return PEERS_FOLDER;
}
