import assert from "node:assert/strict";
import { signIn } from "./load";
import { ServerProcess } from "./server-process";
import { CONTENT, SIZES } from "./session-data";
import type { Size } from "./session-data";
import { holds } from "./variants";
import type { Variant } from "./variants";
import { Visitor } from "./visitor";

/** Throws unless the variant really keeps sessions, so that what is measured does what its name says. */
export async function selfCheck(variant: Variant, folder: string): Promise<void> {
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
}

async function checkSize(variant: Variant, server: ServerProcess, size: Size): Promise<Visitor> {
  const [alice, bob] = (await signIn(server, size, 2)) as [Visitor, Visitor];
  const again = await Visitor.arrive(server.port);
  again.borrowCookies(alice);

  assert.equal(await alice.get("/untouched"), "fine");
  assert.equal(await again.get("/read"), "language en");
  if (variant.withoutSessions !== true) {
    const stranger = await Visitor.arrive(server.port);
    const stored = async () => JSON.parse(await again.get(`/stored/${encodeURIComponent(size)}`)) as unknown;
    assert.equal(await stranger.get("/read"), "language undefined", "a visitor without a session reads nothing");
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

async function checkAfterRestart(variant: Variant, folder: string, known: readonly Visitor[]): Promise<void> {
  const server = await ServerProcess.start(variant, folder);
  for (const visitor of known) {
    const returned = await Visitor.arrive(server.port);
    returned.borrowCookies(visitor);
    assert.equal(await returned.get("/write"), "visit 3", "the session is still there after a restart");
  }
  await server.stop();
}
