import { send } from "../support/app";
import { closedGate } from "../support/gate";
import { startPagesApp } from "../support/pages-app";
import { watchedStore } from "../support/watched-store";

const ID = "0123456789abcdef0123456789abcdef";

test("a page that is left while it says that it is open does not count, though its good-bye came first", async () => {
  const gate = closedGate();
  let isSlow = false;
  const { store } = watchedStore((method) => (isSlow && method === "update" ? gate.pass() : undefined));
  const app = await startPagesApp({ store });
  try {
    const { cookie } = await send("GET", `${app.url}/login/alice`);
    const say = (what: string, id: string) =>
      send(
        "POST",
        `${app.url}/session/pages-${what}`,
        { "content-type": "application/json", "sec-fetch-site": "same-origin", cookie: cookie! },
        JSON.stringify({ id, path: "/", title: "" }),
      );
    isSlow = true;
    const opening = say("open", ID);
    await gate.reached;
    await say("leave", ID);
    gate.open();
    await opening;
    const open = async () => (await app.sessions.getSessionInfo({ username: "alice" }))[0]?.pageIds;
    expect(await open()).toEqual([]);
    // What comes even later is too late as well. Other pages count.
    await say("open", ID);
    await say("open", `${ID}0`);
    expect(await open()).toEqual([`${ID}0`]);
    expect(app.errors).toEqual([]);
  } finally {
    await app.close();
  }
});
