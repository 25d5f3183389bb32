import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allCells, type Cell, FAULTS, placesOf, someCells, titleOf } from "../support/fault-cells.ts";
import { type PreparedLane, prepareLane, SCENARIOS } from "../support/fault-scenarios.ts";
import { walk } from "../support/fault-walk.ts";

/** All of it takes minutes: `npm run test:faults`. `npm test` walks a part that has every call and every kind of fault. */
const FULL = process.env["FULL_FAULTS"] === "1";
const LANES = 8;
const MINUTES = 60_000;

const HOWS: readonly { readonly name: string; readonly has: (cell: Cell) => boolean }[] = [
  ...FAULTS.map((fault) => ({ name: `${fault} at any call`, has: (cell: Cell) => cell.how === "for good" && cell.fault === fault })),
  { name: "a fault that passes", has: ({ how }) => how === "once" },
  { name: "a killed process", has: ({ how }) => how === "killed" },
  { name: "an interruption at any write", has: ({ how }) => how === "interrupted" },
];

let lanes: readonly PreparedLane[] = [];
let cells: readonly Cell[] = [];
let found: Awaited<ReturnType<typeof walk>> = new Map();

beforeAll(async () => {
  const started = performance.now();
  lanes = await Promise.all(Array.from({ length: LANES }, prepareLane));
  const choose = FULL ? allCells : someCells;
  cells = SCENARIOS.flatMap(({ name }) => choose(name, placesOf(lanes[0]?.prepared.get(name)?.calls ?? [])));
  found = await walk(cells, lanes);
  const counts = SCENARIOS.map(({ name }) => `${cells.filter(({ scenario }) => scenario === name).length} ${name}`);
  console.log(`${cells.length} cells in ${((performance.now() - started) / 1000).toFixed(1)} s: ${counts.join(", ")}`);
}, 15 * MINUTES);

afterAll(() => Promise.all(lanes.map(({ lane }) => lane.scene.close())));

describe.each(SCENARIOS)("$name", ({ name }) => {
  it.each(HOWS)("reports the truth, ends with the right code and is finished by the next run after $name", ({ has }) => {
    const wrong = cells.filter((cell) => cell.scenario === name && has(cell)).flatMap((cell) => (found.get(cell) ?? ["was not walked"]).map((problem) => `${titleOf(cell)}: ${problem}`));
    expect(wrong).toEqual([]);
  });
});

it("never brings the stand-ins themselves out of step", () => {
  const requests = lanes.flatMap(({ lane }) => lane.scene.sandbox.requests);
  expect(requests.filter(({ unmatched, defect }) => unmatched || defect !== null)).toEqual([]);
});
