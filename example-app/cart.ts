import type { Tea } from "./tea";
import { findTea } from "./teas";

/** The number of pouches of each tea, by slug: plain data, stored in the session as it is. */
export type Cart = Readonly<Record<string, number>>;

export interface CartLine {
  readonly tea: Tea;
  readonly quantity: number;
  readonly amount: number;
}

/** The lines and the sum of a cart; amounts in euro cents. */
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

/** The cart with this many pouches of a tea, or without it where that is 0; the other lines keep their order. */
export function withQuantity(cart: Cart | undefined, slug: string, quantity: number): Cart {
  const changed = { ...cart, [slug]: Math.min(quantity, MOST_OF_ONE_TEA) };
  return Object.fromEntries(Object.entries(changed).filter(([, count]) => count > 0));
}

export function withOneMore(cart: Cart | undefined, slug: string): Cart {
  const before = cart !== undefined && Object.hasOwn(cart, slug) ? (cart[slug] ?? 0) : 0;
  return withQuantity(cart, slug, before + 1);
}

/** Leaves out teas that are no longer sold: a cart may be older than the shelf. */
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
