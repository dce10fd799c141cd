import type { Tea } from "./tea";

export const TEAS: readonly Tea[] = [
  {
    slug: "sencha",
    name: "Sencha Asamushi",
    kind: "green",
    price: 1290,
    grams: 100,
    celsius: 75,
    minutes: 1,
    liquor: "#c9cc6a",
    table: "#e3e7cf",
    leaf: "needle",
    leafColour: "#4c6b33",
    words: {
      en: {
        origin: "Shizuoka, Japan",
        notes: "cut grass, sea breeze, sweet pea",
        about: "A lightly steamed sencha from a hillside above the Abe river. Bright, brisk and clear to the last cup.",
      },
      de: {
        origin: "Shizuoka, Japan",
        notes: "frisches Gras, Meeresbrise, Zuckererbse",
        about: "Ein kurz gedämpfter Sencha vom Hang über dem Fluss Abe. Hell, lebhaft und klar bis zur letzten Tasse.",
      },
      ja: {
        origin: "静岡県",
        notes: "若草、潮風、スイートピー",
        about: "安倍川を望む山の茶園で育った浅蒸し煎茶。すっきりと明るく、最後の一杯まで澄んだ味わいです。",
      },
    },
  },
  {
    slug: "matcha",
    name: "Matcha Uji no Kaze",
    kind: "green",
    price: 2650,
    grams: 30,
    celsius: 80,
    minutes: 1,
    liquor: "#8fae4a",
    table: "#dfe5d3",
    leaf: "powder",
    leafColour: "#7f9d3f",
    words: {
      en: {
        origin: "Uji, Japan",
        notes: "cream, young spinach, cocoa",
        about: "Shaded for four weeks, ground slowly on granite. Whisk it thick, drink it while the foam still stands.",
      },
      de: {
        origin: "Uji, Japan",
        notes: "Sahne, junger Spinat, Kakao",
        about:
          "Vier Wochen beschattet, langsam auf Granit gemahlen. Kräftig aufschlagen und trinken, solange der Schaum steht.",
      },
      ja: {
        origin: "京都府宇治市",
        notes: "クリーム、若菜、カカオ",
        about: "四週間の覆い下栽培、石臼でゆっくり挽いた抹茶。よく点てて、泡が立っているうちにどうぞ。",
      },
    },
  },
  {
    slug: "longjing",
    name: "Longjing",
    kind: "green",
    price: 1890,
    grams: 50,
    celsius: 80,
    minutes: 2,
    liquor: "#dccf7c",
    table: "#e9e4c8",
    leaf: "flat",
    leafColour: "#6d7a3a",
    words: {
      en: {
        origin: "Hangzhou, China",
        notes: "roasted chestnut, warm butter",
        about: "Picked before the spring rains and pressed flat by hand in the wok. The classic of the West Lake.",
      },
      de: {
        origin: "Hangzhou, China",
        notes: "geröstete Kastanie, warme Butter",
        about: "Vor dem Frühlingsregen gepflückt und im Wok von Hand flach gedrückt. Der Klassiker vom Westsee.",
      },
      ja: {
        origin: "中国・杭州",
        notes: "焼き栗、温かいバター",
        about: "春雨の前に摘み、釜の中で手で平らに炒り上げた、西湖を代表する緑茶です。",
      },
    },
  },
  {
    slug: "bai-mu-dan",
    name: "Bai Mu Dan",
    kind: "white",
    price: 1650,
    grams: 50,
    celsius: 85,
    minutes: 4,
    liquor: "#ecd29a",
    table: "#efe6d8",
    leaf: "bud",
    leafColour: "#a3ad85",
    words: {
      en: {
        origin: "Fuding, China",
        notes: "hay, melon, white flowers",
        about: "Silver buds with their first two leaves, only withered and dried. Soft, round and never bitter.",
      },
      de: {
        origin: "Fuding, China",
        notes: "Heu, Melone, weiße Blüten",
        about: "Silberne Knospen mit den ersten zwei Blättern, nur gewelkt und getrocknet. Weich, rund und nie bitter.",
      },
      ja: {
        origin: "中国・福鼎",
        notes: "干し草、メロン、白い花",
        about: "銀色の芽と若葉二枚を、萎れさせて乾かしただけの白茶。まろやかで、苦みがありません。",
      },
    },
  },
  {
    slug: "tie-guan-yin",
    name: "Tie Guan Yin",
    kind: "oolong",
    price: 1780,
    grams: 75,
    celsius: 92,
    minutes: 3,
    liquor: "#e2b95a",
    table: "#e4e3d4",
    leaf: "pearl",
    leafColour: "#4a6247",
    words: {
      en: {
        origin: "Anxi, China",
        notes: "orchid, fresh cream, lilac",
        about: "Rolled into pearls that open over seven infusions. Each one tells a little more of the mountain.",
      },
      de: {
        origin: "Anxi, China",
        notes: "Orchidee, frischer Rahm, Flieder",
        about: "Zu Perlen gerollt, die sich über sieben Aufgüsse öffnen. Jeder erzählt etwas mehr vom Berg.",
      },
      ja: {
        origin: "中国・安渓",
        notes: "蘭、生クリーム、ライラック",
        about: "珠のように丸めた茶葉が、七煎かけてほどけていきます。一煎ごとに山の香りが深まります。",
      },
    },
  },
  {
    slug: "oriental-beauty",
    name: "Oriental Beauty",
    kind: "oolong",
    price: 2490,
    grams: 50,
    celsius: 90,
    minutes: 3,
    liquor: "#d08a3c",
    table: "#efdfcd",
    leaf: "twist",
    leafColour: "#6b4426",
    words: {
      en: {
        origin: "Hsinchu, Taiwan",
        notes: "honey, ripe peach, nutmeg",
        about: "Small cicadas nibble the leaves; the plant answers with sweetness. No harvest is like the one before.",
      },
      de: {
        origin: "Hsinchu, Taiwan",
        notes: "Honig, reifer Pfirsich, Muskat",
        about:
          "Kleine Zikaden knabbern an den Blättern, die Pflanze antwortet mit Süße. Keine Ernte gleicht der anderen.",
      },
      ja: {
        origin: "台湾・新竹",
        notes: "蜂蜜、熟した桃、ナツメグ",
        about: "ウンカに噛まれた葉が、自らを守って甘い香りを生みます。同じ味の年は二度とありません。",
      },
    },
  },
  {
    slug: "darjeeling",
    name: "Darjeeling First Flush",
    kind: "black",
    price: 1580,
    grams: 100,
    celsius: 90,
    minutes: 3,
    liquor: "#d9923a",
    table: "#f0e2cf",
    leaf: "twist",
    leafColour: "#6a5a2c",
    words: {
      en: {
        origin: "Darjeeling, India",
        notes: "muscat grape, almond, spring air",
        about:
          "The first picking of the year, from gardens two thousand metres up. Light in the cup, long in the memory.",
      },
      de: {
        origin: "Darjeeling, Indien",
        notes: "Muskattraube, Mandel, Frühlingsluft",
        about:
          "Die erste Pflückung des Jahres aus Gärten auf zweitausend Metern. Leicht in der Tasse, lang im Gedächtnis.",
      },
      ja: {
        origin: "インド・ダージリン",
        notes: "マスカット、アーモンド、春の空気",
        about: "標高二千メートルの茶園で、その年いちばんに摘まれた茶葉。軽やかで、余韻の長い一杯です。",
      },
    },
  },
  {
    slug: "keemun",
    name: "Keemun Mao Feng",
    kind: "black",
    price: 1420,
    grams: 100,
    celsius: 95,
    minutes: 4,
    liquor: "#a64b2a",
    table: "#ecd9cc",
    leaf: "needle",
    leafColour: "#38261d",
    words: {
      en: {
        origin: "Qimen, China",
        notes: "cocoa, dried plum, a trace of smoke",
        about: "Fine dark needles with a wine-red cup. At home on a breakfast table and beside a good book.",
      },
      de: {
        origin: "Qimen, China",
        notes: "Kakao, Dörrpflaume, ein Hauch Rauch",
        about: "Feine dunkle Nadeln, weinrot in der Tasse. Zu Hause am Frühstückstisch und neben einem guten Buch.",
      },
      ja: {
        origin: "中国・祁門",
        notes: "カカオ、干しプラム、ほのかな燻香",
        about: "細く黒い茶葉と、ワインのような紅い水色。朝食にも、読書のひとときにもよく合います。",
      },
    },
  },
  {
    slug: "chamomile",
    name: "Chamomile Blossoms",
    kind: "herbal",
    price: 890,
    grams: 50,
    celsius: 98,
    minutes: 6,
    liquor: "#ebbf4f",
    table: "#e5e5dc",
    leaf: "blossom",
    leafColour: "#fffdf5",
    words: {
      en: {
        origin: "Thuringia, Germany",
        notes: "apple, honeycomb, summer meadow",
        about: "Whole blossoms, dried in the shade within an hour of picking. No caffeine: for the end of a long day.",
      },
      de: {
        origin: "Thüringen, Deutschland",
        notes: "Apfel, Bienenwabe, Sommerwiese",
        about: "Ganze Blüten, binnen einer Stunde nach der Ernte im Schatten getrocknet. Ohne Koffein, für den Abend.",
      },
      ja: {
        origin: "ドイツ・テューリンゲン",
        notes: "りんご、蜂の巣、夏の草原",
        about: "摘んで一時間以内に陰干しした、まるごとの花。ノンカフェインで、長い一日の終わりに。",
      },
    },
  },
];

/** The tea of this slug, or undefined where the shop has none. */
export function findTea(slug: string): Tea | undefined {
  return TEAS.find((tea) => tea.slug === slug);
}
