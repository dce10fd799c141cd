import type { Sessions } from "coatcheck";
import { Router } from "express";
import type { Request } from "express";
import { sumUp, withOneMore, withQuantity } from "../cart";
import { formField } from "../form-field";
import { localPath } from "../local-path";
import { PageError } from "../error-page";
import { sessionOver } from "../session-over";
import type { Tea } from "../tea";
import { findTea } from "../teas";

/** The cart, which is in the session from the first tea on, signed in or not. */
export function cartRoutes(sessions: Sessions): Router {
  const router = Router();

  router.get("/cart", async (req, res) => {
    const sum = sumUp(req.session.cart);
    // A cart that went with its session is missed.
    const over = sum.count === 0 ? await sessionOver(sessions, req) : undefined;
    res.render("cart", { sum, over });
  });

  // `update` is atomic: two clicks at once both count.
  router.post("/cart/:slug/add", async (req, res) => {
    const { slug, name } = teaOf(req);
    await req.session.update("cart", (cart) => withOneMore(cart, slug));
    req.session.flash = { message: "added", values: { tea: name } };
    res.redirect(303, localPath(formField(req, "next")));
  });

  router.post("/cart/:slug", async (req, res) => {
    const { slug } = teaOf(req);
    const quantity = formField(req, "quantity");
    if (!/^\d+$/.test(quantity)) throw new PageError(400, "error");
    await req.session.update("cart", (cart) => withQuantity(cart, slug, Number(quantity)));
    req.session.flash = { message: "updated" };
    res.redirect(303, "/cart");
  });

  router.post("/cart/:slug/remove", async (req, res) => {
    const { slug, name } = teaOf(req);
    await req.session.update("cart", (cart) => withQuantity(cart, slug, 0));
    req.session.flash = { message: "removed", values: { tea: name } };
    res.redirect(303, "/cart");
  });

  return router;
}

function teaOf(req: Request<{ slug: string }>): Tea {
  const tea = findTea(req.params.slug);
  if (!tea) throw new PageError(404, "notFound");
  return tea;
}
