import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(__dirname, "../..");
const tsc = join(root, "node_modules/.bin/tsc");

const TYPES = [
  ...["node", "express", "express-serve-static-core", "body-parser", "connect", "http-errors", "qs"],
  ...["range-parser", "send", "serve-static"],
].map((name) => `@types/${name}`);

/** What an app does with its session, with or without the types of express-session beside ours. */
const APP = `
  import express from "express";
  import { sessionMiddleware } from "coatcheck";
  import type { Session } from "coatcheck";

  declare module "coatcheck" { interface SessionData { views: number } }

  const app = express();
  app.use(sessionMiddleware());
  app.get("/", async (req, res) => {
    await req.session.login("alice", { remember: true });
    req.session.views = (req.session.views ?? 0) + 1;
    const views: number = req.session.get("views", 0);
    const owner: string = req.session.owner;
    await req.session.update("views", (before) => (before ?? 0) + 1);
    await req.session.attributes.set("a", 1);
    await req.session.save();
    await req.session.reload();
    await req.session.touch();
    req.session.save((err) => void err);
    req.session.regenerate((err: Error) => void err.message);
    req.session.destroy((err: Error) => void err.message);
    // @ts-expect-error -- nobody declared it
    req.session.undeclared = 1;
    // @ts-expect-error -- a value of another type
    req.session.views = "1";
    res.json([req.sessionID, views, owner]);
  });
`;
const ALONE = `
  import type { RequestSession } from "coatcheck";
  export function sessionOf(req: Express.Request): RequestSession {
    req.session = null;
    return req.session;
  }
`;
const BESIDE = `
  import session from "express-session";
  declare module "express-session" { interface SessionData { theirs: string } }
  export function theirs(req: Express.Request): string | undefined {
    req.session.cookie.maxAge = 1;
    return req.session.theirs;
  }
  export const store = new session.MemoryStore();
`;
const RESERVED = `
  import "coatcheck";
  declare module "coatcheck" {
    interface SessionData {
      views: number;
      login: boolean;
    }
  }
`;

describe("the published types", () => {
  let folder: string;
  const modules = () => join(folder, "node_modules");
  const link = async (name: string, target: string) => {
    await mkdir(dirname(join(modules(), name)), { recursive: true });
    await symlink(join(root, "node_modules", target), join(modules(), name));
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coatcheck-types-"));
    const own = join(modules(), "coatcheck");
    await mkdir(own, { recursive: true });
    await cp(join(root, "package.json"), join(own, "package.json"));
    await run(tsc, ["-p", "tsconfig.build.json", "--outDir", join(own, "dist")], { cwd: root });
    for (const name of TYPES) await link(name, name);
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true }));

  /** What the compiler says about these programs; it checks the types of all packages, too, unless told not to. */
  const said = async (programs: Record<string, string>, { skipLibCheck = false } = {}): Promise<string> => {
    for (const [name, code] of Object.entries(programs)) await writeFile(join(folder, name), code);
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--types", "node", "--esModuleInterop"];
    const lib = ["--target", "es2023", "--lib", "es2023,esnext.disposable"];
    const args = [...options, ...lib, "--skipLibCheck", String(skipLibCheck), ...Object.keys(programs)];
    return run(tsc, args, { cwd: folder }).then(
      () => "",
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  };

  it("are sound alone", async () => {
    expect(await said({ "app.ts": APP, "alone.ts": ALONE })).toBe("");
  }, 120_000);

  it("refuse a reserved name that an app declares", async () => {
    // An app does not see errors in our own files.
    const text = await said({ "reserved.ts": RESERVED }, { skipLibCheck: true });
    expect(text).toMatch(/reserved\.ts\(6,\d+\): error TS\d+: .*'login' must be of type 'ReservedName \| undefined'/);
    expect(text).not.toContain("views");
  }, 120_000);

  describe("beside those of express-session", () => {
    beforeAll(() => link("@types/express-session", "express-session-types"));

    it.each([
      ["before", { "beside.ts": BESIDE, "app.ts": APP }],
      ["after", { "app.ts": APP, "beside.ts": BESIDE }],
    ])(
      "go together with them, whichever come first: theirs %s ours",
      async (_order, programs) => {
        expect(await said(programs)).toBe("");
      },
      240_000,
    );
  });
});
