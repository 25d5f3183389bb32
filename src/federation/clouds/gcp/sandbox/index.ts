export { gcpStandIns, startGcpStandIns } from "./start.ts";
export type { GcpStandInOptions, RunningGcpStandIns } from "./start.ts";
export { gcpFault } from "./faults.ts";
export type { GcpFaultKind, GcpService } from "./faults.ts";
export { OPERATOR_NAME, OPERATOR_PROVIDER, SANDBOX_PROJECT, SANDBOX_PROJECT_NUMBER } from "./state.ts";
export type { Binding, GcpState, Policy, Pool, Provider, ServiceAccount } from "./state.ts";
