import type { StatusInput } from "../../cloud.ts";
import type { Check, CheckDefinition } from "../../../errors/checks.ts";
import { gcpChecks } from "../checks.ts";
import type { GcpGrantSpec } from "../input/grant-spec.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { answer } from "./answer.ts";
import { judgeGrants } from "./judge-grants.ts";
import { judgeProvider } from "./judge-provider.ts";

export type GcpStatusInput = StatusInput<GcpSetupSpec, GcpGrantSpec>;

/** The checks of `status gcp` from what was read: pool and provider, then each grant. */
export function judgeStatus(input: GcpStatusInput): readonly Check[] {
  const propagation: CheckDefinition = gcpChecks["gcp-propagation"];
  const last = input.observed.length === 0 ? "nothing was found that could be settling" : "Google shows no time of the last change; what was changed may take two to seven minutes";
  return [...judgeProvider(input), ...judgeGrants(input), answer(propagation, "skip", last)];
}
