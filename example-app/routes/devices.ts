import type { Sessions } from "coatcheck";
import { Router } from "express";
import { deviceOf } from "../device";
import { formField } from "../form-field";
import { PageError } from "../page-error";
import { requireUser } from "../require-user";
import type { Users } from "../users";

/** Where a user is signed in, and the way to sign out from afar. */
export function deviceRoutes(users: Users, sessions: Sessions): Router {
  const router = Router();
  router.use("/devices", requireUser(users));

  router.get("/devices", async (req, res) => {
    const infos = await sessions.getSessionInfo({ username: req.session.owner });
    // What the shop does for a user in the background is no device.
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
    // An id that was sent to us proves nothing: only sessions of this very user may be ended here.
    const own = await sessions.getSessionInfo({ username: req.session.owner });
    const device = own.find((info) => info.id === formField(req, "id") && info.id !== req.session.id);
    if (!device) throw new PageError(404, "notFound");
    await sessions.kill(device.id);
    req.session.flash = { message: "deviceSignedOut" };
    res.redirect(303, "/devices");
  });

  return router;
}
