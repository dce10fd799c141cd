import assert from "node:assert/strict";
import { signIn } from "./load";
import { ServerProcess } from "./server-process";
import { CONTENT, SIZES } from "./session-data";
import type { Size } from "./session-data";
import { does, holds } from "./variants";
import type { Variant } from "./variants";
import { Visitor } from "./visitor";

/**
 * Throws unless the variant really keeps sessions, so that what is measured does what its name says. `folderOf` makes
 * an empty folder.
 */
export async function selfCheck(variant: Variant, folderOf: () => string): Promise<void> {
  const folder = folderOf();
  const known: Visitor[] = [];
  const server = await ServerProcess.start(variant, folder);
  for (const size of SIZES) {
    if (!holds(variant, size)) continue;
    try {
      known.push(await checkSize(variant, server, size));
    } catch (cause) {
      throw new Error(`"${variant.name}" does not keep a session of ${size}; nothing was measured.`, { cause });
    }
  }
  await server.stop();
  if (variant.survivesRestart) await checkAfterRestart(variant, folder, known);
  if (variant.service === "postgres") await checkElsewhere(variant, folderOf(), known);
}

async function checkSize(variant: Variant, server: ServerProcess, size: Size): Promise<Visitor> {
  const [alice, bob] = (await signIn(server, size, 2)) as [Visitor, Visitor];
  const again = await Visitor.arrive(server.port);
  again.borrowCookies(alice);

  assert.equal(await alice.get("/untouched"), "fine");
  assert.equal(await again.get("/read"), "language en");
  if (variant.withoutSessions !== true) {
    const stranger = await Visitor.arrive(server.port);
    assert.equal(await stranger.get("/read"), "language undefined", "a visitor without a session reads nothing");
    stranger.forgeCookies(alice);
    assert.equal(await stranger.get("/read"), "language undefined", "a forged cookie opens no session");
  }
  if (variant.withoutSessions !== true && does(variant, "write")) {
    const stored = async () => JSON.parse(await again.get(`/stored/${encodeURIComponent(size)}`)) as unknown;
    assert.deepEqual(await stored(), CONTENT[size]);
    assert.equal(await alice.get("/write"), "visit 1");
    assert.equal(await alice.get("/write"), "visit 2");
    assert.equal(await bob.get("/write"), "visit 1", "each visitor has a session of their own");
    again.borrowCookies(alice);
    const before = await stored();
    assert.equal(await alice.get("/deep"), "changed");
    again.borrowCookies(alice);
    assert.notDeepEqual(await stored(), before, "a change deep inside a value is kept");
  }
  return alice;
}

const STILL_THERE = "the session is still there after a restart";

async function checkAfterRestart(variant: Variant, folder: string, known: readonly Visitor[]): Promise<void> {
  const server = await ServerProcess.start(variant, folder);
  for (const visitor of known) {
    const returned = await Visitor.arrive(server.port);
    returned.borrowCookies(visitor);
    if (does(variant, "write")) assert.equal(await returned.get("/write"), "visit 3", STILL_THERE);
    else assert.equal(await returned.get("/read"), "language en", STILL_THERE);
  }
  await server.stop();
}

/** Where the database has no such session, a cookie of the same secret opens none: the session is really looked up. */
async function checkElsewhere(variant: Variant, emptyFolder: string, known: readonly Visitor[]): Promise<void> {
  const server = await ServerProcess.start(variant, emptyFolder);
  for (const visitor of known) {
    const lost = await Visitor.arrive(server.port);
    lost.borrowCookies(visitor);
    assert.equal(await lost.get("/read"), "language undefined", "a session that isn't in the database is none");
  }
  await server.stop();
}
