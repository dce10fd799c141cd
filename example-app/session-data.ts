import type { Cart } from "./cart";
import type { Language, MessageKey, MessageValues } from "./languages";

/** A message for the next page that this visitor sees, once. */
export interface Flash {
  readonly message: MessageKey;
  readonly values?: MessageValues;
}

/** The order that was placed last; a real shop keeps its orders in a database. */
export interface Order {
  readonly number: string;
  readonly placedAt: Date;
  readonly cart: Cart;
}

/** What the shop keeps in a session; it gives `req.session.cart` and the others their types. */
declare module "coatcheck" {
  interface SessionData {
    cart: Cart;
    language: Language;
    flash: Flash;
    order: Order;
  }
}
