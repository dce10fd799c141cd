import { de } from "./messages/de";
import { en } from "./messages/en";
import { ja } from "./messages/ja";

export type MessageKey = keyof typeof en;
export type Messages = Readonly<Record<MessageKey, string>>;
export type MessageValues = Readonly<Record<string, string | number>>;

const DICTIONARIES = { en, de, ja } satisfies Record<string, Messages>;

export type Language = keyof typeof DICTIONARIES;

/** The languages of the shop, each with its own name for itself. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch", ja: "日本語" };

export function isLanguage(value: unknown): value is Language {
  return typeof value === "string" && Object.hasOwn(DICTIONARIES, value);
}

/** The text of this key in this language, with its `{name}`s filled in. */
export function translate(language: Language, key: MessageKey, values: MessageValues = {}): string {
  const text: string = DICTIONARIES[language][key];
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(values[name] ?? placeholder));
}
