import type { Tea } from "./tea";
import { findTea } from "./teas";

/** How many pouches of which tea, by slug. It is kept in the session as it is: plain data. */
export type Cart = Readonly<Record<string, number>>;

export interface CartLine {
  readonly tea: Tea;
  readonly quantity: number;
  readonly amount: number;
}

/** What a cart comes to; amounts in euro cents. */
export interface CartSum {
  readonly lines: readonly CartLine[];
  readonly count: number;
  readonly subtotal: number;
  readonly shipping: number;
  readonly total: number;
}

export const FREE_SHIPPING_FROM = 4_000;
const SHIPPING = 390;
const MOST_OF_ONE_TEA = 99;

/** The cart with this many of a tea, and without it where that is none; the other lines stay where they are. */
export function withQuantity(cart: Cart | undefined, slug: string, quantity: number): Cart {
  const changed = { ...cart, [slug]: Math.min(quantity, MOST_OF_ONE_TEA) };
  return Object.fromEntries(Object.entries(changed).filter(([, count]) => count > 0));
}

export function withOneMore(cart: Cart | undefined, slug: string): Cart {
  const before = cart !== undefined && Object.hasOwn(cart, slug) ? (cart[slug] ?? 0) : 0;
  return withQuantity(cart, slug, before + 1);
}

/** A cart may be older than the shelf: teas that are no longer sold are left out. */
export function sumUp(cart: Cart | undefined): CartSum {
  const lines = Object.entries(cart ?? {}).flatMap(([slug, quantity]) => {
    const tea = findTea(slug);
    return tea ? [{ tea, quantity, amount: tea.price * quantity }] : [];
  });
  const count = lines.reduce((sum, line) => sum + line.quantity, 0);
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0);
  const shipping = count === 0 || subtotal >= FREE_SHIPPING_FROM ? 0 : SHIPPING;
  return { lines, count, subtotal, shipping, total: subtotal + shipping };
}
