import { FORMATS } from "../../example-app/formats";
import { translate } from "../../example-app/languages";
import { de } from "../../example-app/messages/de";
import { en } from "../../example-app/messages/en";
import { ja } from "../../example-app/messages/ja";

describe("languages", () => {
  test.each(Object.entries({ de, ja }))("%s fills in what English fills in", (_code, messages) => {
    for (const [key, text] of Object.entries(en)) {
      expect([key, placeholders(messages[key as keyof typeof en])]).toEqual([key, placeholders(text)]);
    }
  });

  test("a text gets its values", () => {
    expect(translate("de", "added", { tea: "Sencha" })).toBe("Sencha liegt im Warenkorb.");
    expect(translate("en", "sessionsEnded", { name: "Bob", count: 0 })).toBe("Sessions of Bob that were ended: 0.");
  });

  test("money is written as each language writes it", () => {
    expect([FORMATS.en.money(1290), FORMATS.de.money(1290), FORMATS.ja.money(1290)]).toEqual([
      "€12.90",
      "12,90\u00a0€",
      "€12.90",
    ]);
  });

  test.each([
    [0, "now"],
    [59_999, "59 seconds ago"],
    [60_000, "1 minute ago"],
    [3 * 3_600_000, "3 hours ago"],
    [86_400_000, "yesterday"],
    [-5_000, "now"],
  ])("%d ms ago reads %j", (elapsedMs, text) => {
    const now = 1_700_000_000_000;
    expect(FORMATS.en.ago(new Date(now - elapsedMs), now)).toBe(text);
  });
});

function placeholders(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort();
}
