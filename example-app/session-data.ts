import type { Cart } from "./cart";
import type { Language, MessageKey, MessageValues } from "./languages";

/** A message that the next page shows this visitor, once. */
export interface Flash {
  readonly message: MessageKey;
  readonly values?: MessageValues;
}

/** The latest order; a real shop keeps its orders in a database. */
export interface Order {
  readonly number: string;
  readonly placedAt: Date;
  readonly cart: Cart;
}

/** The shop's data in a session, so that `req.session.cart` and the others have types. */
declare module "coatcheck" {
  interface SessionData {
    cart: Cart;
    language: Language;
    flash: Flash;
    order: Order;
  }
}
