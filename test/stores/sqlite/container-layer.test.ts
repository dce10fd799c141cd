import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isOnContainerLayer } from "../../../lib/stores/sqlite/file/container-layer";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";

/** As Docker has them, with a volume at a place whose name has a space. */
const MOUNTS = `1431 1285 0:171 / / rw,relatime master:558 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
1432 1431 0:174 / /proc rw,nosuid - proc proc rw
1440 1431 8:1 /volumes/s /app/.sessions rw,relatime - ext4 /dev/sda1 rw
1441 1431 8:1 /volumes/t /app/two\\040words rw,relatime master:1 - ext4 /dev/sda1 rw
`;

describe("whether a folder is on a container's own layer", () => {
  it.each([
    ["/app", true],
    ["/app/.sessions2", true],
    ["/app/two", true],
    ["/app/.sessions", false],
    ["/app/.sessions/deeper", false],
    ["/app/two words/deeper", false],
    ["/proc/x", false],
  ])("says of %s %s", (folder, expected) => {
    expect(isOnContainerLayer(folder, MOUNTS)).toBe(expected);
  });

  it("goes by the last of several mounts at one place", () => {
    const over = "1 1 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:1 / / rw - overlay overlay rw";
    expect(isOnContainerLayer("/app", over)).toBe(true);
    expect(isOnContainerLayer("/app", over.split("\n").reverse().join("\n"))).toBe(false);
  });

  it("says no where it can't tell", () => {
    expect(isOnContainerLayer("/app", "")).toBe(false);
    expect(isOnContainerLayer("/app", "no such lines")).toBe(false);
  });
});

const base = realpathSync(mkdtempSync(join(tmpdir(), "coatcheck-layer-")));

/** Mounts an overlay file system, as containers have. Only Linux's root may; not in every container. */
function mountOverlay(): boolean {
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(base, name));
  const options = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`;
  const { status } = spawnSync("mount", ["-t", "overlay", "overlay", "-o", options, join(base, "merged")]);
  return status === 0;
}

const isMounted = mountOverlay();
if (!isMounted) process.stderr.write("SKIPPED: an overlay file system can't be mounted here; root on Linux may.\n");

(isMounted ? describe : describe.skip)("a store on an overlay file system", () => {
  const before = process.env.NODE_ENV;
  let warnings: string[];
  let emit: jest.SpyInstance;

  beforeEach(() => {
    warnings = [];
    emit = jest.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
  });
  afterEach(() => {
    process.env.NODE_ENV = before;
    emit.mockRestore();
  });

  async function open(path: string, environment: string): Promise<void> {
    process.env.NODE_ENV = environment;
    await new SqliteStore({ path }).close();
  }

  it("warns in production, once, and names the folder and what to do", async () => {
    await open(join(base, "merged", "sessions"), "production");
    expect(warnings).toEqual([
      expect.stringMatching(/^The session folder .*merged\/sessions is inside this container/),
    ]);
    expect(warnings[0]).toContain(`--volume sessions:${join(base, "merged", "sessions")}`);
  });

  it("warns of a link to such a folder, too", async () => {
    symlinkSync(join(base, "merged"), join(base, "link"));
    await open(join(base, "link", "linked"), "production");
    expect(warnings).toHaveLength(1);
  });

  it("does not warn in development, nor of a folder elsewhere", async () => {
    await open(join(base, "merged", "sessions"), "development");
    await open(join(base, "elsewhere"), "production");
    expect(warnings).toEqual([]);
  });
});

afterAll(() => {
  // Lazily: on Node 20, a file is closed for good when its statements are collected.
  if (isMounted) execFileSync("umount", ["--lazy", join(base, "merged")]);
  rmSync(base, { recursive: true });
});
