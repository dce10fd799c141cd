import { sumUp } from "./cart";
import type { CartSum } from "./cart";
import type { Order } from "./session-data";

/** An order as a statement lists it. */
export interface OrderSum extends Pick<Order, "number" | "placedAt">, Pick<CartSum, "count" | "total"> {}

/** The orders of each user, for as long as the shop runs; a real shop keeps them in a database. */
export class Orders {
  readonly #placed = new Map<string, OrderSum[]>();

  add(username: string, { number, placedAt, cart }: Order): void {
    const { count, total } = sumUp(cart);
    this.#placed.set(username, [...(this.#placed.get(username) ?? []), { number, placedAt, count, total }]);
  }

  /** A user's orders in the month of this day. */
  inMonthOf(day: Date, username: string): OrderSum[] {
    const month = (date: Date) => date.getFullYear() * 12 + date.getMonth();
    return (this.#placed.get(username) ?? []).filter(({ placedAt }) => month(placedAt) === month(day));
  }
}
