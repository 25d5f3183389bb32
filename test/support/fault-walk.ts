import { isDeepStrictEqual } from "node:util";
import { type Cell, createNaming, HANDSHAKE, toFault } from "./fault-cells.ts";
import type { FaultCloud } from "./fault-cloud.ts";
import { factsOf } from "./fault-facts.ts";
import { type Ending, judgeReport } from "./fault-report.ts";
import type { Prepared, PreparedLane } from "./fault-prepare.ts";
import type { Call } from "./scene.ts";

/** A stalled call ends after a quarter of it, but at least a second; the read-back is repeated until it is over. */
const SHORT_TIMEOUT = ["--timeout", "4"];

/** Walks the cells, one at a time in each lane; answers what is wrong with each. */
export async function walk(cells: readonly Cell[], lanes: readonly PreparedLane[]): Promise<ReadonlyMap<Cell, readonly string[]>> {
  const found = new Map<Cell, readonly string[]>();
  const left = [...cells].reverse();
  const work = async (lane: PreparedLane): Promise<void> => {
    for (let cell = left.pop(); cell !== undefined; cell = left.pop()) found.set(cell, await walkCell(cell, lane));
  };
  await Promise.all(lanes.map(work));
  return found;
}

async function walkCell(cell: Cell, { cloud, lane, prepared }: PreparedLane): Promise<readonly string[]> {
  const found = prepared.get(cell.scenario);
  if (found === undefined) throw new Error(`no scenario ${cell.scenario}`);
  await lane.restore(found.start);
  const problems: string[] = [];
  const ending = await disturb(cloud, cell, found, lane);
  await lane.settle();
  if (ending === null) problems.push("the call was never made");
  else problems.push(...judgeReport(cloud, found.scenario, cell, ending, { before: found.before, after: factsOf(lane.scene, cloud), final: found.final }));
  lane.scene.breakWith(null);
  const again = await lane.run(found.args);
  if (again.exit !== 0) problems.push(`running again ends with ${again.exit}: ${again.stderr.slice(-600)}`);
  const now = factsOf(lane.scene, cloud);
  for (const id of new Set([...Object.keys(now), ...Object.keys(found.final)])) {
    if (!isDeepStrictEqual(now[id] ?? null, found.final[id] ?? null)) problems.push(`running again leaves ${id} as ${JSON.stringify(now[id] ?? null)} instead of ${JSON.stringify(found.final[id] ?? null)}`);
  }
  return problems;
}

/** Runs the command with the cell's disturbance; null when the place was never reached. */
async function disturb(cloud: FaultCloud, cell: Cell, { args, scenario }: Prepared, { run, scene, onConnection }: PreparedLane["lane"]): Promise<Ending | null> {
  const interruption = new AbortController();
  let kill: (signal: NodeJS.Signals) => void = () => undefined;
  const naming = createNaming();
  let count = 0;
  const isPlace = (call: Pick<Call, "service" | "action">): boolean => {
    if (naming(call) !== cell.place.name) return false;
    count += 1;
    return count === cell.place.nth || (count > cell.place.nth && cell.how === "for good");
  };
  scene.breakWith((request, call) => {
    if (!isPlace(call)) return null;
    if ("fault" in cell) return toFault(cloud, cell.fault, cell.when, request);
    if (cell.how === "killed") kill("SIGKILL");
    else interruption.abort();
    return cell.how === "killed" ? { kind: "reset", when: cell.when } : null;
  });
  onConnection((socket) => {
    if (!isPlace(HANDSHAKE)) return;
    if (cell.how === "killed") kill("SIGKILL");
    socket.destroy();
  });
  const slow = "fault" in cell && (cell.fault === "timeout" || cell.place.name.startsWith("issuer "));
  const words = [...args, ...(slow ? SHORT_TIMEOUT : [])];
  const ran = cell.how === "killed" ? await scene.run(words, { onSpawn: (send) => (kill = send) }) : await run(words, interruption.signal);
  onConnection(null);
  return count < cell.place.nth ? null : { ...ran, kind: scenario.kind };
}
