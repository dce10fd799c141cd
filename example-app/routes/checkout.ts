import type { Session } from "coatcheck";
import { Router } from "express";
import { randomBytes } from "node:crypto";
import { sumUp } from "../cart";
import type { Cart } from "../cart";
import type { Orders } from "../orders";
import { requireUser } from "../require-user";
import type { Users } from "../users";

export function checkoutRoutes(users: Users, orders: Orders): Router {
  const router = Router();
  router.use(["/checkout", "/thank-you"], requireUser(users));

  router.get("/checkout", (req, res) => {
    const sum = sumUp(req.session.cart);
    if (sum.count === 0) res.redirect(303, "/cart");
    else res.render("checkout", { sum });
  });

  router.post("/checkout", async (req, res) => {
    const cart = await takeCart(req.session);
    if (sumUp(cart).count === 0) {
      res.redirect(303, "/cart");
      return;
    }
    const number = `TH-${randomBytes(4).toString("hex").toUpperCase()}`;
    const order = { number, placedAt: new Date(), cart };
    orders.add(req.session.owner, order);
    req.session.order = order;
    res.redirect(303, "/thank-you");
  });

  router.get("/thank-you", (req, res) => {
    const { order } = req.session;
    if (order) res.render("thank-you", { order, sum: sumUp(order.cart) });
    else res.redirect(303, "/cart");
  });

  return router;
}

/**
 * Empties the cart and returns what was in it. Of two clicks at once only one gets the teas, so nothing is ordered
 * twice.
 */
async function takeCart(session: Session): Promise<Cart> {
  let taken: Cart = {};
  await session.update("cart", (cart) => {
    taken = cart ?? {};
    return {};
  });
  return taken;
}
