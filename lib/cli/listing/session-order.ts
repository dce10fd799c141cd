import type { SessionInfo } from "../../admin/listing/session-info";

type Order = (a: SessionInfo, b: SessionInfo) => number;

/** In what order `--sort` lists: names from A to Z, instants from the latest on, the most pages first. */
const ORDERS = {
  user: byText(({ username }) => username),
  project: byText(({ project }) => project),
  scope: byText(({ sessionScope }) => sessionScope),
  address: byText(({ clientAddress }) => clientAddress),
  created: fromHighest(({ createdAt }) => createdAt.getTime()),
  seen: fromHighest(({ lastSeenAt }) => lastSeenAt.getTime()),
  ended: fromHighest(({ endedAt }) => endedAt?.getTime() ?? 0),
  pages: fromHighest(({ activePages }) => activePages),
} as const satisfies Record<string, Order>;

export type SortKey = keyof typeof ORDERS;
export const SORT_KEYS = Object.keys(ORDERS) as readonly SortKey[];

/** How many sessions more than are wanted are kept before those that come last are dropped. */
const SPARE = 1_000;

/** The first `limit` sessions in this order; those of one rank in the order of their ids. It keeps few more than these. */
export async function sortedSessions(
  sessions: AsyncIterable<SessionInfo>,
  key: SortKey,
  limit = Infinity,
): Promise<SessionInfo[]> {
  const order: Order = (a, b) => ORDERS[key](a, b) || (a.id < b.id ? -1 : 1);
  let first: SessionInfo[] = [];
  for await (const info of sessions) {
    if (first.push(info) >= limit + SPARE) first = first.sort(order).slice(0, limit);
  }
  return first.sort(order).slice(0, limit);
}

function byText(text: (info: SessionInfo) => string): Order {
  return (a, b) => (text(a) < text(b) ? -1 : Number(text(a) > text(b)));
}

function fromHighest(number: (info: SessionInfo) => number): Order {
  return (a, b) => number(b) - number(a);
}
