import { afterAll, beforeAll, expect, it } from "vitest";
import { aws } from "../support/fault-aws.ts";
import { allCells, type Cell, FAULTS, type Place, placesOf, someCells, titleOf } from "../support/fault-cells.ts";
import type { FaultCloud, Scenario } from "../support/fault-cloud.ts";
import { gcp, slowGcp } from "../support/fault-gcp.ts";
import { type PreparedLane, prepareLane } from "../support/fault-prepare.ts";
import { walk } from "../support/fault-walk.ts";

/** All of it takes minutes: `npm run test:faults`. `npm test` walks a part that has every call and every kind of fault. */
const FULL = process.env["FULL_FAULTS"] === "1";
const MINUTE = 60_000;
const CLOUDS: readonly FaultCloud[] = [aws, gcp, slowGcp];
const SCENARIOS = CLOUDS.flatMap((cloud) => cloud.scenarios.map((scenario) => ({ ...scenario, cloud })));

let lanes: readonly PreparedLane[] = [];
let cells: readonly Cell[] = [];
let found: Awaited<ReturnType<typeof walk>> = new Map();

beforeAll(async () => {
  const started = performance.now();
  lanes = await Promise.all(CLOUDS.flatMap((cloud) => Array.from({ length: lanesOf(cloud) }, () => prepareLane(cloud))));
  cells = SCENARIOS.flatMap(({ cloud, ...scenario }) => {
    const places = placesToWalk(scenario, cloud);
    return FULL ? allCells(cloud, scenario.name, places) : someCells(cloud, scenario, places);
  });
  found = new Map((await Promise.all(CLOUDS.map((cloud) => walk(cellsOf(cloud.scenarios), lanes.filter((lane) => lane.cloud === cloud))))).flatMap((walked) => [...walked]));
  const counts = SCENARIOS.map((scenario) => `${cellsOf([scenario]).length} ${scenario.name}`);
  console.log(`${cells.length} cells in ${((performance.now() - started) / 1000).toFixed(1)} s: ${counts.join(", ")}`);
}, 30 * MINUTE);

afterAll(() => Promise.all(lanes.map(({ lane }) => lane.scene.close())));

/** Preparing a lane runs every scenario once, which pays for many cells only. */
function lanesOf({ lanes: most }: FaultCloud): number {
  return FULL ? most : most / 2;
}

function cellsOf(scenarios: readonly Scenario[]): readonly Cell[] {
  const names = new Set(scenarios.map(({ name }) => name));
  return cells.filter(({ scenario }) => names.has(scenario));
}

function placesIn({ name }: Scenario): readonly Place[] {
  return placesOf(lanes.find(({ prepared }) => prepared.has(name))?.prepared.get(name)?.calls ?? []);
}

function placesToWalk(scenario: Scenario, { services }: FaultCloud): readonly Place[] {
  const { variant } = scenario;
  if (variant === undefined || (FULL && variant === "short")) return placesIn(scenario);
  const ways = SCENARIOS.filter(({ cloud }) => cloud.services === services);
  const earlier = ways.slice(0, ways.findIndex(({ name }) => name === scenario.name));
  const known = new Set([...ways.filter((way) => way.variant === undefined), ...earlier].flatMap(placesIn).map(({ name }) => name));
  return placesIn(scenario).filter(({ name, writes }) => writes || !known.has(name));
}

it.each(SCENARIOS)("whatever goes wrong at any call, $name reports the truth, ends with the right code, and is finished by the next run", (scenario) => {
  const own = cellsOf([scenario]);
  const wrong = own.flatMap((cell) => (found.get(cell) ?? ["it was not walked"]).map((problem) => `${titleOf(cell)}: ${problem}`));
  expect(own).not.toEqual([]);
  expect(wrong).toEqual([]);
});

it.each(["aws.", "gcp."])("has every call of every command of %s and every kind of fault", (services) => {
  const scenarios = SCENARIOS.filter(({ cloud }) => cloud.services === services);
  const own = cellsOf(scenarios);
  const walked = (those: readonly Cell[]) => [...new Set(those.map(({ place }) => `${place.name} #${place.nth}`))].sort();
  const made = (scenario: Scenario) => placesIn(scenario).map(({ name, nth }) => `${name} #${nth}`).sort();
  for (const scenario of scenarios.filter(({ variant }) => variant === undefined || (FULL && variant === "short"))) expect(walked(cellsOf([scenario])), scenario.name).toEqual(made(scenario));
  expect(new Set(own.map(({ place }) => place.name))).toEqual(new Set(scenarios.flatMap(placesIn).map(({ name }) => name)));
  expect(new Set(own.flatMap((cell) => ("fault" in cell ? [cell.fault] : [])))).toEqual(new Set(FAULTS));
  expect(new Set(own.map(({ how }) => how))).toEqual(new Set(["for good", "once", "killed", "interrupted"]));
});

it("never asks the stand-ins for anything that they do not know", () => {
  const requests = lanes.flatMap(({ lane }) => lane.scene.sandbox.requests);
  expect(requests.filter(({ unmatched, defect }) => unmatched || defect !== null)).toEqual([]);
});
