import type { Language } from "./languages";

export const KINDS = ["green", "white", "oolong", "black", "herbal"] as const;
export type Kind = (typeof KINDS)[number];

export interface Tea {
  /** The tea's name in URLs and in the cart. */
  readonly slug: string;
  readonly name: string;
  readonly kind: Kind;
  /** The price of one pouch, in euro cents. */
  readonly price: number;
  readonly grams: number;
  readonly celsius: number;
  readonly minutes: number;
  /** The colours and shapes of its picture: the tea in the cup, the table under it, and the leaves beside it. */
  readonly liquor: string;
  readonly table: string;
  readonly leaf: "needle" | "flat" | "bud" | "pearl" | "twist" | "blossom" | "powder";
  readonly leafColour: string;
  readonly words: Readonly<Record<Language, TeaWords>>;
}

interface TeaWords {
  readonly origin: string;
  readonly notes: string;
  readonly about: string;
}
