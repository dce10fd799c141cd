import { cookieView } from "../../lib/session/session-meta";
import { withOneMore } from "../../example-app/cart";
import { EXPRESSES } from "../support/app";
import { startConsole, textOf } from "../support/console-app";
import { describeOnEveryStore } from "../support/every-store";
import { sessionRecord } from "../support/session-records";

/** Names that every plain object inherits. */
const NAMES = Object.getOwnPropertyNames(Object.prototype);

/** Some of each sort: with a setter, a class, a method. */
const SOME = ["__proto__", "constructor", "hasOwnProperty", "toString"];

describeOnEveryStore("names that plain objects inherit", (every) => {
  it.each(EXPRESSES)("are names like any other, wherever they are listed, on %s", async (_name, express) => {
    const store = await every.open();
    const app = await startConsole({ store, express });
    const root = await app.login("root");
    for (const name of SOME) {
      await store.create(sessionRecord({ project: name, scope: name, owner: name, userAgent: name }));
    }
    const lists = SOME.map((name) => `/list?project=${name}&scope=${name}&user=${name}`);
    for (const path of ["/", "/list", ...lists]) {
      const answer = await app.open(root, path);
      expect([path, answer.status]).toEqual([path, 200]);
      const text = textOf(answer);
      expect(text).not.toContain("[native code]");
      for (const name of SOME) if (path === "/" || path.includes(name)) expect(text).toContain(name);
    }
    for (const name of SOME) {
      const [info, another] = await app.sessions.getSessionInfo({ project: name, username: name, scope: name });
      expect([info, another]).toMatchObject([{ project: name, username: name, sessionScope: name }, undefined]);
      const [own] = (await app.sessions.tally()).filter(({ project }) => project === name);
      expect(own).toMatchObject({ project: name, scope: name, live: 1 });
      const detail = await app.open(root, `/session/${info!.id}`);
      expect([detail.status, textOf(detail).includes(name)]).toEqual([200, true]);
      expect(await app.sessions.killSessionByUser(name)).toBe(1);
    }
    await app.close();
  });
});

it.each(NAMES.filter((name) => name !== "__proto__"))("%s of session.cookie has no option of its own", (name) => {
  const view = cookieView(null, 0, 0);
  expect(() => Reflect.set(view, name, 1)).toThrow(`set the option cookie.${name} of sessionMiddleware`);
});

it.each(NAMES)("a tea called %s can be put into the example's cart, one by one", (name) => {
  const cart = withOneMore(withOneMore(undefined, name), name);
  expect(Object.entries(cart)).toEqual([[name, 2]]);
});
