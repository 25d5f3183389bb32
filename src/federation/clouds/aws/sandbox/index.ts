export { awsStandIns, startAwsStandIns } from "./start.ts";
export type { AwsStandInOptions, RunningAwsStandIns } from "./start.ts";
export { awsFault } from "./faults.ts";
export type { AwsService } from "./faults.ts";
export { ALL_BLOCKED, newBucket, NONE_BLOCKED, SANDBOX_ACCOUNT } from "./state.ts";
export type { AwsState, Bucket, Credential, OidcProvider, Role } from "./state.ts";
