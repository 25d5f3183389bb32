import { afterAll, beforeAll, expect, it } from "vitest";
import { allCells, type Cell, FAULTS, placesOf, someCells, titleOf } from "../support/fault-cells.ts";
import { type PreparedLane, prepareLane, SCENARIOS } from "../support/fault-scenarios.ts";
import { walk } from "../support/fault-walk.ts";

/** All of it takes minutes: `npm run test:faults`. `npm test` walks a part that has every call and every kind of fault. */
const FULL = process.env["FULL_FAULTS"] === "1";
/** Cells that are walked together: most of their time they wait for a pause or a time-out. */
const LANES = 6;
const MINUTE = 60_000;

let lanes: readonly PreparedLane[] = [];
let cells: readonly Cell[] = [];
let found: Awaited<ReturnType<typeof walk>> = new Map();

beforeAll(async () => {
  const started = performance.now();
  lanes = await Promise.all(Array.from({ length: LANES }, prepareLane));
  cells = SCENARIOS.flatMap(({ name, variant = false }) => (FULL ? allCells(name, placesIn(name)) : someCells(name, placesIn(name), variant)));
  found = await walk(cells, lanes);
  const counts = SCENARIOS.map(({ name }) => `${cells.filter(({ scenario }) => scenario === name).length} ${name}`);
  console.log(`${cells.length} cells in ${((performance.now() - started) / 1000).toFixed(1)} s: ${counts.join(", ")}`);
}, 20 * MINUTE);

afterAll(() => Promise.all(lanes.map(({ lane }) => lane.scene.close())));

function placesIn(scenario: string) {
  return placesOf(lanes[0]?.prepared.get(scenario)?.calls ?? []);
}

it.each(SCENARIOS)("whatever goes wrong at any call, $name reports the truth, ends with the right code, and is finished by the next run", ({ name }) => {
  const own = cells.filter(({ scenario }) => scenario === name);
  const wrong = own.flatMap((cell) => (found.get(cell) ?? ["it was not walked"]).map((problem) => `${titleOf(cell)}: ${problem}`));
  expect(own).not.toEqual([]);
  expect(wrong).toEqual([]);
});

it("has every call of every command and every kind of fault", () => {
  const walked = (scenario: string) => [...new Set(cells.filter((cell) => cell.scenario === scenario).map(({ place }) => `${place.name} #${place.nth}`))].sort();
  for (const { name } of SCENARIOS.filter(({ variant }) => FULL || variant !== true)) expect(walked(name), name).toEqual(placesIn(name).map((place) => `${place.name} #${place.nth}`).sort());
  expect(new Set(cells.flatMap((cell) => ("fault" in cell ? [cell.fault] : [])))).toEqual(new Set(FAULTS));
  expect(new Set(cells.map(({ how }) => how))).toEqual(new Set(["for good", "once", "killed", "interrupted"]));
});

it("never asks the stand-ins for anything that they do not know", () => {
  const requests = lanes.flatMap(({ lane }) => lane.scene.sandbox.requests);
  expect(requests.filter(({ unmatched, defect }) => unmatched || defect !== null)).toEqual([]);
});
