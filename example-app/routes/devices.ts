import type { Sessions } from "coatcheck";
import { Router } from "express";
import { deviceOf } from "../device";
import { formField } from "../form-field";
import { PageError } from "../error-page";
import { requireUser } from "../require-user";
import type { Users } from "../users";

/** The devices on which a user is signed in, with buttons to sign them out. */
export function deviceRoutes(users: Users, sessions: Sessions): Router {
  const router = Router();
  router.use("/devices", requireUser(users));

  router.get("/devices", async (req, res) => {
    const infos = await sessions.getSessionInfo({ username: req.session.owner });
    // What the shop does for a user in the background is not a device.
    const devices = infos
      .filter((info) => info.sessionScope === "browser")
      .map((info) => ({ ...info, ...deviceOf(info.userAgent), isThis: info.id === req.session.id }))
      .sort((a, b) => Number(b.isThis) - Number(a.isThis) || b.lastSeenAt.getTime() - a.lastSeenAt.getTime());
    res.render("devices", { devices });
  });

  router.post("/devices/sign-out-others", async (req, res) => {
    const count = await sessions.killOthers(req.session);
    req.session.flash = { message: "othersSignedOut", values: { count } };
    res.redirect(303, "/devices");
  });

  router.post("/devices/sign-out", async (req, res) => {
    // An id in a form proves nothing: only this user's own sessions may be ended here.
    const own = await sessions.getSessionInfo({ username: req.session.owner });
    const device = own.find((info) => info.id === formField(req, "id") && info.id !== req.session.id);
    if (!device) throw new PageError(404, "notFound");
    await sessions.kill(device.id);
    req.session.flash = { message: "deviceSignedOut" };
    res.redirect(303, "/devices");
  });

  return router;
}
