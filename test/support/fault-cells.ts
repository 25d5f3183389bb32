import type { Fault, FaultTime, SeenRequest } from "../../src/federation/sandbox/traffic.ts";
import type { FaultCloud, Scenario } from "./fault-cloud.ts";
import type { Call } from "./scene.ts";

/** The n-th call of one name in a run: `aws.iam GetRole` is made when planning and again right before deleting. */
export interface Place {
  readonly name: string;
  readonly nth: number;
  readonly writes: boolean;
}

export const FAULTS = ["connection reset", "timeout", "429", "500", "throttled in the cloud's own words", "truncated body"] as const;
export type FaultName = (typeof FAULTS)[number];

/** One thing that goes wrong at one place of one command. */
export type Cell = {
  readonly scenario: string;
  readonly place: Place;
  /** `before`: the call has no effect; `after`: it has, and its answer is lost. */
  readonly when: FaultTime;
} & (
  | { readonly how: "for good" | "once"; readonly fault: FaultName }
  /** SIGKILL, or the signal of Ctrl-C, while the call is under way. */
  | { readonly how: "killed" | "interrupted" }
);

/** Reading the TLS chain: a connection without a request. */
export const HANDSHAKE: Call = { service: "issuer", action: "TLS handshake", writes: false };

export function nameOf({ service, action }: Pick<Call, "service" | "action">): string {
  return `${service} ${action}`;
}

/** Names the calls of one run. Long-running operations have random names: those of one resource are numbered instead. */
export function createNaming(): typeof nameOf {
  const numbered = new Map<string, string>();
  return (call) => {
    const name = nameOf(call);
    const [, operations] = OPERATION.exec(name) ?? [];
    if (operations === undefined) return name;
    const number = 1 + [...numbered.keys()].filter((other) => other.startsWith(operations)).length;
    numbered.set(name, numbered.get(name) ?? `${operations}${number}`);
    return numbered.get(name) ?? "";
  };
}

const OPERATION = /^(.+\/operations\/)\w+$/;

/** The calls of a run, each with its number among those of its name; in an order that does not depend on timing. */
export function placesOf(calls: readonly Call[]): readonly Place[] {
  const seen = new Map<string, number>();
  const naming = createNaming();
  const places = calls.map((call) => {
    const name = naming(call);
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return { name, nth, writes: call.writes };
  });
  // How often an operation is asked for depends on timing; that it is asked for does not.
  const steady = places.filter(({ name, nth }) => nth === 1 || !OPERATION.test(name));
  return steady.sort((a, b) => (a.name === b.name ? a.nth - b.nth : a.name < b.name ? -1 : 1));
}

/** Everything that can go wrong with the calls of one command. */
export function allCells(cloud: FaultCloud, scenario: string, places: readonly Place[]): readonly Cell[] {
  return places.flatMap((place): readonly Cell[] => {
    const times: readonly FaultTime[] = place.writes ? ["before", "after"] : ["before"];
    const faults = times.flatMap((when) => FAULTS.filter((fault) => fits(cloud, fault, when, place)).map((fault) => ({ scenario, place, when, fault })));
    return [
      ...faults.map((cell): Cell => ({ ...cell, how: "for good" })),
      // Only calls to clouds are repeated, and not when they took too long.
      ...(isOf(cloud, place.name) ? faults.filter(({ fault }) => fault !== "timeout").map((cell): Cell => ({ ...cell, how: "once" })) : []),
      ...times.map((when): Cell => ({ scenario, place, when, how: "killed" })),
      ...(place.writes ? [{ scenario, place, when: "after", how: "interrupted" } as const] : []),
    ];
  });
}

/**
 * A part of them that has every call, every kind of fault, and what is worst for writes: a lost answer, a process that
 * is killed right after, and an interruption. Each write of a variant has one of those.
 */
export function someCells(cloud: FaultCloud, { name, variant }: Scenario, places: readonly Place[]): readonly Cell[] {
  const cells = allCells(cloud, name, places);
  return places.flatMap((place, index) => {
    const own = cells.filter((cell) => cell.place === place);
    const lasting = pick(own.filter(({ how }) => how === "for good"), index * 5 + name.length);
    const killed = own.filter(({ how, when }) => how === "killed" && when === "after");
    const passing = own.filter((cell) => cell.when === "after" && (cell.how === "interrupted" || (cell.how === "once" && cell.fault === "connection reset")));
    if (!place.writes) return lasting;
    if (variant !== undefined) return pick([...lasting, ...killed, ...passing], index);
    return [...lasting, ...(cloud.worst === "all" ? [...killed, ...pick(passing, index)] : pick([...killed, ...passing], index))];
  });
}

function pick<T>(list: readonly T[], index: number): readonly T[] {
  return list.length === 0 ? [] : list.slice(index % list.length, (index % list.length) + 1);
}

function isOf(cloud: FaultCloud, call: string): boolean {
  return call.startsWith(cloud.services);
}

function fits(cloud: FaultCloud, fault: FaultName, when: FaultTime, { name, writes }: Place): boolean {
  if (name === nameOf(HANDSHAKE)) return fault === "connection reset";
  if (fault === "throttled in the cloud's own words") return isOf(cloud, name) && when === "before";
  // Half an answer is half of the true one, so the effect is there; too many requests have none.
  if (fault === "truncated body") return when === "after" || !writes;
  return fault !== "429" || when === "before";
}

export function titleOf(cell: Cell): string {
  const { scenario, place, when } = cell;
  const what = "fault" in cell ? `${cell.fault} ${cell.how}` : cell.how;
  return `${scenario}: ${what} at ${place.name}${place.nth === 1 ? "" : ` #${place.nth}`}${place.writes ? `, ${when} its effect` : ""}`;
}

/** The fault for a request; `when` is ignored where half of the true answer is wanted. */
export function toFault(cloud: FaultCloud, name: FaultName, when: FaultTime, { service }: SeenRequest): Fault {
  if (name === "connection reset") return { kind: "reset", when };
  if (name === "timeout") return { kind: "stall", when };
  if (name === "truncated body") return { kind: "truncate", when: "after" };
  if (isOf(cloud, service)) return cloud.refuse(service, name === "429" || name === "500" ? name : "throttled", when);
  if (name === "500") return { kind: "status", when, status: 500, body: "it broke\n" };
  return { kind: "status", when, status: 429, headers: { "retry-after": "1" }, body: "too many requests\n" };
}
