import { isDeepStrictEqual } from "node:util";
import { HANDSHAKE } from "./fault-cells.ts";
import type { FaultCloud, Facts, Scenario } from "./fault-cloud.ts";
import { factsOf } from "./fault-facts.ts";
import { type Lane, type Saved, startLane } from "./fault-lane.ts";
import type { Call, JsonDocument } from "./scene.ts";

/** A scenario in a lane, with what an undisturbed run makes of it. */
export interface Prepared {
  readonly scenario: Scenario;
  readonly args: readonly string[];
  readonly start: Saved;
  readonly before: Facts;
  readonly final: Facts;
  readonly calls: readonly Call[];
}

export interface PreparedLane {
  readonly cloud: FaultCloud;
  readonly lane: Lane;
  readonly prepared: ReadonlyMap<string, Prepared>;
}

/** Starts a lane and runs every scenario of a cloud in it once, undisturbed. */
export async function prepareLane(cloud: FaultCloud): Promise<PreparedLane> {
  const lane = await startLane(cloud);
  const { scene } = lane;
  const prepared = new Map<string, Prepared>();
  const ends = new Map<string, Saved>();
  for (const scenario of cloud.scenarios) {
    await lane.restore((scenario.after === undefined ? undefined : ends.get(scenario.after)) ?? lane.save());
    scenario.seed?.(scene);
    const args = [...scenario.args(scene), "--output", "json"];
    const [start, before] = [lane.save(), factsOf(scene, cloud)];
    const handshakes: Call[] = [];
    lane.onConnection(scenario.kind === "SetupResult" ? () => void handshakes.push(HANDSHAKE) : null);
    const { exit, stdout, stderr } = await lane.run(args);
    lane.onConnection(null);
    if (exit !== 0) throw new Error(`${scenario.name}, undisturbed, ends with ${exit}: ${stderr}`);
    ends.set(scenario.name, lane.save());
    const final = factsOf(scene, cloud);
    checkFacts(cloud, stdout, before, final);
    prepared.set(scenario.name, { scenario, args, start, before, final, calls: [...scene.calls(), ...handshakes] });
  }
  return { cloud, lane, prepared };
}

/** A step whose fact does not change would be believed whatever it says. */
function checkFacts(cloud: FaultCloud, stdout: string, before: Facts, final: Facts): void {
  const { data } = JSON.parse(stdout) as JsonDocument;
  const unseen = (data?.steps ?? []).filter((step) => step.action !== "none" && isDeepStrictEqual(before[cloud.factOf(step)], final[cloud.factOf(step)]));
  if (unseen.length > 0) throw new Error(`no fact shows what ${unseen.map(({ id }) => id).join(", ")} did`);
}
