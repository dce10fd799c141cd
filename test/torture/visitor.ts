import { setTimeout as delay } from "node:timers/promises";
import { GUEST_USER } from "../../lib/record/session-record";
import type { Answer, TortureClient } from "./torture-client";
import { TrackedSession } from "./tracked-session";
import type { Reading } from "./tracked-session";

/** How many sessions a visitor has at a time. */
const SESSIONS = 4;
const LONGEST_PAUSE_MS = 100;
/** How many ended sessions are still looked at. */
const REMEMBERED = 60;

/** A visitor who uses sessions of their own without a break, and checks every step against what must be. */
export class Visitor {
  readonly name: string;
  readonly steps = new Map<string, number>();
  readonly #client: TortureClient;
  readonly #onViolation: (violation: string) => void;
  #live: TrackedSession[] = [];
  readonly #ended: TrackedSession[] = [];
  #values = 0;
  /** The user of the next logins: another one after each kill. */
  #user: User;

  constructor(name: string, client: TortureClient, onViolation: (violation: string) => void) {
    this.name = name;
    this.#client = client;
    this.#onViolation = onViolation;
    this.#user = new User(`${name}.1`);
  }

  async visit(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await delay(Math.random() * LONGEST_PAUSE_MS);
      const session = pick(this.#live);
      if (session === undefined || this.#live.length < SESSIONS) await this.#step("new", () => this.#new());
      else {
        const [name, step] = pick(this.#stepsOf(session))!;
        await this.#step(name, step);
      }
      for (const ended of this.#live.filter(({ state }) => state === "ended")) this.#retire(ended);
    }
  }

  /** Looks at everything once more, while nothing else is under way. */
  async checkAll(): Promise<{ live: number; ended: number }> {
    for (const session of [...this.#live, ...this.#ended]) await this.#read(session);
    const live = this.#live.filter(({ state }) => state === "live").length;
    return { live, ended: this.#ended.length };
  }

  #stepsOf(session: TrackedSession): [string, () => Promise<unknown>][] {
    return [
      ["read", () => this.#read(session)],
      ["set", () => this.#set(session, `key${Math.floor(Math.random() * 3)}`)],
      ["set large", () => this.#set(session, "key0", { padding: 20_000 })],
      ["set four at once", () => Promise.all(["a", "b", "c", "d"].map((key) => this.#set(session, key)))],
      ["set one twice at once", () => Promise.all([this.#set(session, "e"), this.#set(session, "e")])],
      ["set an attribute", () => this.#set(session, "attribute", {}, "/attribute")],
      ["increment", () => Promise.all([0, 1, 2].map(() => this.#increment(session)))],
      [
        "increment and read",
        () => Promise.all([this.#increment(session), this.#read(session, false), this.#increment(session)]),
      ],
      ["touch and set", () => Promise.all([this.#touch(session), this.#set(session, "f"), this.#touch(session)])],
      ["log in", () => this.#login(session, this.#user)],
      ["log in and set", () => this.#login(session, this.#user, () => [this.#set(session, "g"), this.#touch(session)])],
      ["log out", () => this.#logout(session)],
      ["kill", () => this.#kill()],
      ["list", () => this.#list()],
      ["open without a client", () => this.#open()],
      ["look at an ended one", () => this.#lookAtEnded()],
    ];
  }

  async #step(name: string, step: () => Promise<unknown>): Promise<void> {
    this.steps.set(name, (this.steps.get(name) ?? 0) + 1);
    await step();
  }

  async #new(): Promise<void> {
    const value = this.#nextValue();
    this.#began(await this.#client.send("/new", { value }), GUEST_USER, value);
  }

  async #read(session: TrackedSession, isQuiet = true): Promise<void> {
    const read = session.read(isQuiet);
    const { status, body } = await this.#client.send("/read", {}, session.token);
    if (status === 200) this.#check(session, read(body as Reading));
  }

  async #set(session: TrackedSession, key: string, more: Record<string, number> = {}, path = "/set"): Promise<void> {
    const value = this.#nextValue();
    const done = session.value(key).write(value);
    done(this.#isDone(session, await this.#client.send(path, { key, value, ...more }, session.token)));
  }

  async #increment(session: TrackedSession): Promise<void> {
    const done = session.counter.increment();
    done(this.#isDone(session, await this.#client.send("/increment", {}, session.token)));
  }

  async #touch(session: TrackedSession): Promise<void> {
    this.#isDone(session, await this.#client.send("/touch", {}, session.token));
  }

  /** `beside` makes requests of the same session that are under way at the same time. Resolves to the successor. */
  async #login(session: TrackedSession, user: User, beside: () => Promise<unknown>[] = () => []) {
    const value = this.#nextValue();
    session.state = "unsure";
    const requests = beside();
    const answer = await this.#client.send("/login", { user: user.name, value }, session.token);
    await Promise.all(requests);
    const successor = this.#began(answer, user.name, value);
    if (successor === undefined) {
      user.lost += 1;
      await this.#read(session);
    } else {
      session.state = "ended";
      user.sessions.push(successor);
    }
    return successor;
  }

  async #logout(session: TrackedSession): Promise<void> {
    session.state = "unsure";
    const { status } = await this.#client.send("/logout", {}, session.token);
    if (status === 200) session.state = "ended";
    await this.#read(session);
  }

  /**
   * Two servers kill the same user's sessions at once, while these are written to, and while another session begins.
   */
  async #kill(): Promise<void> {
    const user = this.#user;
    const live = user.sessions.filter(({ state }) => state === "live");
    const unsure = user.sessions.filter(({ state }) => state === "unsure");
    const guest = this.#live.find(({ owner, state }) => owner === GUEST_USER && state === "live");
    this.#user = new User(`${this.name}.${this.#nextValue()}`);
    for (const session of live) session.state = "unsure";
    const kills = [0, 1].map(() => this.#client.send("/kill", { user: user.name }));
    const writes = live.flatMap((session) => [this.#set(session, "h"), this.#increment(session), this.#touch(session)]);
    const begun = guest && (await this.#login(guest, user));
    const answers = await Promise.all(kills);
    await Promise.all(writes);
    const done = answers.filter(({ status }) => status === 200);
    if (done.length > 0) for (const session of [...live, ...unsure]) session.state = "ended";
    // It began before the kills, or after them.
    if (begun !== undefined) begun.state = "unsure";
    for (const session of [...live, ...unsure, ...(begun === undefined ? [] : [begun])]) await this.#read(session);
    if (done.length < answers.length) return;
    const ended = done.reduce((sum, { body }) => sum + Number(body.ended), 0);
    const least = live.length + user.clientless.size;
    const most = least + unsure.length + user.lost + (begun === undefined ? 0 : 1);
    if (ended < least || ended > most) {
      this.#onViolation(`two kills of ${user.name} ended ${ended}, not ${least} to ${most}`);
    }
  }

  /** Every session of a user that is known to be live is found, and none that has ended. */
  async #list(): Promise<void> {
    const { name, sessions, clientless } = this.#user;
    const { status, body } = await this.#client.send("/list", { user: name });
    if (status !== 200) return;
    const ids = body.ids as string[];
    const idsIn = (state: string) => sessions.filter((session) => session.state === state).map(({ id }) => id);
    for (const id of [...idsIn("live"), ...clientless].filter((each) => !ids.includes(each))) {
      this.#onViolation(`${id} of ${name} is live, and was not found`);
    }
    for (const id of idsIn("ended").filter((each) => ids.includes(each))) {
      this.#onViolation(`${id} of ${name} has ended, and was found`);
    }
  }

  /** Brief sessions are left for clearing; the others are closed, or wait for a kill. */
  async #open(): Promise<void> {
    const user = this.#user;
    const isBrief = Math.random() < 0.3;
    const opened = await this.#client.send("/open", {
      user: isBrief ? `${this.name}.brief` : user.name,
      brief: `${isBrief}`,
    });
    if (isBrief) return;
    if (opened.status === undefined) user.lost += 1;
    if (opened.status !== 200) return;
    const id = String(opened.body.id);
    user.clientless.add(id);
    if (Math.random() < 0.5) return;
    user.clientless.delete(id);
    const closed = await this.#client.send("/close", { id });
    if (closed.status === undefined) user.lost += 1;
    else if (closed.status !== 200) this.#onViolation(`${id} was open, and closing it was answered ${closed.status}`);
    else if ((await this.#client.send("/close", { id })).status === 200) this.#onViolation(`${id} was closed twice`);
  }

  async #lookAtEnded(): Promise<void> {
    const session = pick(this.#ended);
    if (session === undefined) return;
    await this.#read(session);
    const { status } = await this.#client.send("/set", { key: "z", value: "z" }, session.token);
    if (status === 200) this.#onViolation(`${session.id} has ended, and took a save`);
  }

  /** Whether a change was made; undefined if nobody knows. */
  #isDone(session: TrackedSession, { status }: Answer): boolean | undefined {
    if (status === 409 || status === 410) this.#check(session, session.foundEnded());
    return status === undefined ? undefined : status === 200;
  }

  #began({ status, body, token }: Answer, owner: string, first: string): TrackedSession | undefined {
    if (status !== 200) return undefined;
    if (token === undefined) this.#onViolation(`${String(body.id)} began, and no cookie was set`);
    const session = new TrackedSession(token ?? "", String(body.id), owner, first);
    this.#live.push(session);
    return session;
  }

  #check({ id }: TrackedSession, wrong: readonly string[]): void {
    for (const what of wrong) this.#onViolation(`${id} ${what}`);
  }

  #retire(session: TrackedSession): void {
    this.#live = this.#live.filter((other) => other !== session);
    this.#ended.push(session);
    if (this.#ended.length > REMEMBERED) this.#ended.shift();
  }

  #nextValue(): string {
    this.#values += 1;
    return String(this.#values);
  }
}

/** A user, and what is known of the sessions of that user. */
class User {
  readonly sessions: TrackedSession[] = [];
  readonly clientless = new Set<string>();
  /** How many more sessions there may be, of requests whose response was lost. */
  lost = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

function pick<T>(from: readonly T[]): T | undefined {
  return from[Math.floor(Math.random() * from.length)];
}
