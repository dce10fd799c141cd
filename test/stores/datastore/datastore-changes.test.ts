import { DatastoreChanges } from "../../../lib/stores/datastore/calls/datastore-updates";
import type { Change } from "../../../lib/stores/datastore/calls/datastore-updates";

const MIB = 2 ** 20;

function change(bytes = 100): Change {
  return { delta: {}, mutation: {}, bytes, askedAt: 0, resolve: () => undefined, reject: () => undefined };
}

it("hands changes out in the order in which they were asked for, and those of one entity again only when it was released", () => {
  const changes = new DatastoreChanges();
  const [first, second, third] = [change(), change(), change()];
  changes.add("a", first);
  changes.add("b", second);
  expect(changes.take()).toEqual([
    { id: "a", changes: [first] },
    { id: "b", changes: [second] },
  ]);
  changes.add("a", third);
  expect([changes.ready, changes.take()]).toEqual([0, []]);
  changes.release("a");
  expect(changes.take()).toEqual([{ id: "a", changes: [third] }]);
  expect(changes.count).toBe(0);
});

it("leaves behind what is too much for one commit", () => {
  const changes = new DatastoreChanges();
  const all = [change(MIB / 2), change(MIB / 2), change(MIB / 2)];
  for (const each of all) changes.add("a", each);
  expect(changes.take()).toEqual([{ id: "a", changes: all.slice(0, 2) }]);
  changes.release("a");
  expect([changes.count, changes.take()]).toEqual([1, [{ id: "a", changes: all.slice(2) }]]);
});

// V8 keeps tables that a Map has outgrown for as long as its old generation, and a change refers to the request that
// waits for it.
it("keeps nothing of what it has handed out in the lists that its map has held", () => {
  const setting = jest.spyOn(Map.prototype, "set");
  const changes = new DatastoreChanges();
  for (const id of ["a", "b", "a"]) changes.add(id, change());
  const lists = setting.mock.calls.map(([, list]) => list as Change[]);
  setting.mockRestore();
  expect(lists.map((list) => list.length)).toEqual([2, 1]);
  expect(changes.take()).toHaveLength(2);
  expect(lists.map((list) => list.length)).toEqual([0, 0]);
});
