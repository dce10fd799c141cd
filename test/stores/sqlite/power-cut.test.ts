import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { howMany } from "../../support/how-many";
import { Disk, EVERYTHING, NOTHING } from "../../support/power-cut-disk";
import type { Luck } from "../../support/power-cut-disk";
import { Ledger } from "../../support/power-cut-ledger";
import { FOLDER, missingForRecording, NOTES, recordWriters } from "../../support/power-cut-recording";
import type { TraceEvent } from "../../support/power-cut-trace";
import type { Note } from "../../support/power-cut-writer";
import { randomFrom } from "../../support/random";
import type { Random } from "../../support/random";

const CUTS = howMany(12, 1_500);
const SEED = Number(process.env.COATCHECK_SEED ?? Date.now());
const missing = missingForRecording();

if (missing !== undefined) {
  const line = "=".repeat(100);
  const fate = process.env.CI ? "GOING TO FAIL" : "SKIPPED";
  process.stderr.write(`\n${line}\n  THE POWER-CUT TESTS ARE ${fate}: this machine lacks ${missing}.\n${line}\n`);
}
const describeWhereRecordable = missing === undefined || process.env.CI ? describe : describe.skip;

describeWhereRecordable("a power failure", () => {
  let recording: Awaited<ReturnType<typeof recordWriters>>;
  // What is opened after each power failure need not survive one itself.
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "coatcheck-power-cut-"));

  beforeAll(async () => {
    recording = await recordWriters(
      FOLDER,
      [
        { name: "one", rounds: 1, stepsPerRound: 4_000 },
        { name: "another", rounds: 2, stepsPerRound: 1_000, leaves: true },
      ],
      [{ name: "alone", rounds: 2, stepsPerRound: 1_200 }],
      [{ name: "last", rounds: 1, stepsPerRound: 300, leaves: true }],
    );
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it("is tried on a recording that explains the files to the last byte, and in which the WAL starts over", () => {
    const disk = new Disk(FOLDER);
    let starts = 0;
    for (const event of recording.events) {
      disk.apply(event);
      if (isWalStart(disk, event)) starts += 1;
    }
    expect(starts).toBeGreaterThan(5);
    const files = disk.filesAfterPowerCut(FOLDER, EVERYTHING)!;
    expect([...files.keys()].sort()).toEqual([...recording.files.keys()].sort());
    for (const [name, bytes] of recording.files) expect(files.get(name)!.equals(bytes)).toBe(true);
  });

  it("P1, P2: loses no create, replace or end that was acknowledged, wakes no ended session, leaves no gap, and the file opens", async () => {
    const random = randomFrom(SEED);
    const moments = momentsOf(recording.events, random, CUTS);
    const luck = () => (random.next() < 0.25 ? NOTHING : luckOf(random));
    const { faults, acknowledgements } = await cut(recording.events, FOLDER, new Disk(FOLDER), moments, luck);
    expect({ seed: SEED, faults }).toEqual({ seed: SEED, faults: [] });
    expect(acknowledgements).toBeGreaterThan(CUTS * 100);
  });

  it("P1: leaves a folder that the store has made", async () => {
    const store = `${FOLDER}/new/sessions`;
    const { events } = await recordWriters(store, [{ name: "first", rounds: 1, stepsPerRound: 50 }]);
    const moments = momentsOf(events, randomFrom(SEED), 20);
    const { faults, acknowledgements } = await cut(events, store, new Disk(FOLDER), moments, () => NOTHING);
    expect(faults).toEqual([]);
    expect(acknowledgements).toBeGreaterThan(0);
  });

  it("is noticed by this test where the WAL is never synced: acknowledged sessions are lost", async () => {
    const disk = new Disk(FOLDER, (name) => !name.endsWith("-wal"));
    const moments = momentsOf(recording.events, randomFrom(SEED), 20);
    const { faults } = await cut(recording.events, FOLDER, disk, moments, () => NOTHING);
    expect(faults.filter((fault) => fault.includes(" is absent, and should be "))).not.toEqual([]);
  });

  it("is noticed by this test where the session file is never synced: it is damaged, or sessions are lost", async () => {
    const disk = new Disk(FOLDER, (name) => !name.endsWith(".db"));
    const moments = momentsOf(recording.events, randomFrom(SEED), 20);
    const { faults } = await cut(recording.events, FOLDER, disk, moments, () => NOTHING);
    expect(faults).not.toEqual([]);
  });

  /**
   * Cuts the power at each of the moments (each a number of events), and returns what was wrong in the folder
   * afterwards.
   */
  async function cut(events: TraceEvent[], store: string, disk: Disk, moments: readonly number[], luck: () => Luck) {
    const ledger = new Ledger();
    const faults: string[] = [];
    let acknowledgements = 0;
    let done = 0;
    for (const moment of moments) {
      for (; done < moment; done += 1) {
        const event = events[done]!;
        disk.apply(event);
        const name = disk.nameOf(event);
        if (event.kind !== "write" || !name?.startsWith(NOTES)) continue;
        ledger.add(name.slice(NOTES.length), JSON.parse(event.data.toString()) as Note);
      }
      const path = mkdtempSync(join(folder, "store-"));
      const files = disk.filesAfterPowerCut(store, luck());
      for (const [file, bytes] of files ?? []) writeFileSync(join(path, file), bytes);
      for (const fault of (await ledger.faults(path)).slice(0, 2)) faults.push(`after ${moment} events: ${fault}`);
      rmSync(path, { recursive: true });
      acknowledgements += ledger.acknowledgements;
    }
    return { faults, acknowledgements };
  }
});

/** The WAL's head is written: it is new, or starts over. */
function isWalStart(disk: Disk, event: TraceEvent): boolean {
  return event.kind === "write" && event.number === 0 && disk.nameOf(event)?.endsWith("-wal") === true;
}

/** This many moments in order: half of them anywhere, half just before or after something rare. */
function momentsOf(events: readonly TraceEvent[], random: Random, count: number): number[] {
  const kinds = new Map<string, number[]>();
  const disk = new Disk(FOLDER);
  for (const [index, event] of events.entries()) {
    disk.apply(event);
    const kind = isWalStart(disk, event) ? "start of the WAL" : `${event.kind} of ${disk.nameOf(event) ?? "a name"}`;
    if (kind.includes(NOTES)) continue;
    const same = kinds.get(kind);
    if (same === undefined) kinds.set(kind, [index]);
    else same.push(index);
  }
  const rare = [...kinds.values()];
  const moments = Array.from({ length: count }, (_, index) =>
    index % 2 === 0
      ? Math.floor(random.next() * (events.length + 1))
      : random.pick(random.pick(rare)) + Math.floor(random.next() * 2),
  );
  return moments.sort((a, b) => a - b);
}

/** A part of what was not synced is on disk: little, half, or most of it. */
function luckOf(random: Random): Luck {
  const share = random.pick([0.05, 0.5, 0.95]);
  return (changes) => (random.next() < share ? changes : Math.floor(random.next() * changes));
}
