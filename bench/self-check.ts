import assert from "node:assert/strict";
import { signIn } from "./load";
import { ServerProcess } from "./server-process";
import { CONTENT, SIZES } from "./session-data";
import type { Size } from "./session-data";
import { BARE } from "./variants";
import type { Variant } from "./variants";
import { Visitor } from "./visitor";

/** Throws unless the variant really keeps sessions: what is measured must do what its name says. */
export async function selfCheck(variant: Variant, folder: string): Promise<void> {
  for (const size of SIZES) {
    try {
      await checkSize(variant, folder, size);
    } catch (cause) {
      throw new Error(`"${variant.name}" does not keep a session of ${size}; nothing was measured.`, { cause });
    }
  }
}

async function checkSize(variant: Variant, folder: string, size: Size): Promise<void> {
  const server = await ServerProcess.start(variant, folder);
  const [alice, bob] = (await signIn(server, size)) as [Visitor, Visitor];
  const again = await Visitor.arrive(server.port);
  again.borrowCookies(alice);

  assert.equal(await alice.get("/untouched"), "fine");
  assert.equal(await again.get("/read"), "language en");
  if (variant.name !== BARE) {
    const stranger = await Visitor.arrive(server.port);
    assert.equal(await stranger.get("/read"), "language undefined", "a visitor without a session reads nothing");
    assert.deepEqual(JSON.parse(await again.get(`/stored/${encodeURIComponent(size)}`)), CONTENT[size]);
    assert.equal(await alice.get("/write"), "visit 1");
    assert.equal(await alice.get("/write"), "visit 2");
    assert.equal(await bob.get("/write"), "visit 1", "each visitor has a session of their own");
  }
  await server.stop();
  if (variant.survivesRestart) await checkAfterRestart(variant, folder, alice);
}

async function checkAfterRestart(variant: Variant, folder: string, alice: Visitor): Promise<void> {
  const server = await ServerProcess.start(variant, folder);
  const returned = await Visitor.arrive(server.port);
  returned.borrowCookies(alice);
  assert.equal(await returned.get("/write"), "visit 3", "the session is still there after a restart");
  await server.stop();
}
