/** What a visitor's session holds: two small keys that the routes read and change, beside the bulk. */
export interface SessionContent {
  language: string;
  visits: number;
  [bulk: string]: unknown;
}

export const SIZES = ["200 B", "4 KB"] as const;
export type Size = (typeof SIZES)[number];

const account = { id: "u-40817", name: "Alice Camellia", email: "alice@example.com", role: "customer" };

const address = { street: "12 Harbour Lane", city: "Rotterdam", postalCode: "3011 AA", country: "NL" };

/** Sessions as shops keep them: nested objects under a few keys; the names say how long they are as one JSON text. */
export const CONTENT: Readonly<Record<Size, SessionContent>> = {
  "200 B": {
    language: "en",
    visits: 0,
    account,
    seenBanner: true,
    lastSearch: "darjeeling, first flush, in a tin caddy",
  },
  "4 KB": {
    language: "en",
    visits: 0,
    account: { ...account, addresses: [address, { ...address, street: "3 Mill Road" }], newsletter: true },
    cart: { currency: "EUR", voucher: null, items: Array.from({ length: 17 }, (_, n) => cartItem(n)) },
    recentlyViewed: Array.from({ length: 12 }, (_, n) => ({
      sku: `tea-${2000 + n}`,
      at: 1_780_000_000_000 + n * 61_000,
    })),
  },
};

function cartItem(n: number) {
  return {
    sku: `tea-${1000 + n}`,
    title: `Darjeeling first flush, lot ${n}`,
    quantity: 1 + (n % 3),
    price: { amount: 1250 + n * 35, taxRate: 0.09, discounted: n % 4 === 0 },
    choices: { size: "100 g", packing: "tin", giftNote: n % 5 === 0 ? "Enjoy!" : null },
  };
}
