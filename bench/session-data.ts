/** What a visitor's session holds: small values that the routes read and change, beside the bulk. */
export interface SessionContent {
  language: string;
  visits: number;
  account: { email: string };
  cart?: { items: { quantity: number }[] };
  [bulk: string]: unknown;
}

export const SIZES = ["200 B", "4 KB", "64 KB"] as const;
export type Size = (typeof SIZES)[number];

const account = { id: "u-40817", name: "Alice Camellia", email: "alice@example.com", role: "customer" };

const address = { street: "12 Harbour Lane", city: "Rotterdam", postalCode: "3011 AA", country: "NL" };

/** Sessions as shops keep them: nested objects under a few keys. The names say how long each is as one JSON text. */
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
    ...shop(17, 12),
  },
  "64 KB": {
    language: "en",
    visits: 0,
    ...shop(300, 150),
  },
};

/** Changes one field deep inside a value, and nothing that would show it: no key of the session is assigned to. */
export function changeDeep(session: SessionContent): void {
  const item = session.cart?.items[3];
  if (item !== undefined) item.quantity = 1 + (item.quantity % 9);
  else session.account.email = session.account.email.endsWith("com") ? "alice@example.net" : "alice@example.com";
}

function shop(items: number, viewed: number) {
  return {
    account: { ...account, addresses: [address, { ...address, street: "3 Mill Road" }], newsletter: true },
    cart: { currency: "EUR", voucher: null, items: Array.from({ length: items }, (_, n) => cartItem(n)) },
    recentlyViewed: Array.from({ length: viewed }, (_, n) => ({
      sku: `tea-${2000 + n}`,
      at: 1_780_000_000_000 + n * 61_000,
    })),
  };
}

function cartItem(n: number) {
  return {
    sku: `tea-${1000 + n}`,
    title: `Darjeeling first flush, lot ${n}`,
    quantity: 1 + (n % 3),
    price: { amount: 1250 + n * 35, taxRate: 0.09, discounted: n % 4 === 0 },
    choices: { size: "100 g", packing: "tin", giftNote: n % 5 === 0 ? "Enjoy!" : null },
  };
}
