import type { Cloud } from "../cloud.ts";
import { awsExamples, awsOptions } from "./options.ts";

/** AWS as every start of kubeassume sees it: names, flags and doors, no SDK and no judge. */
export const aws: Cloud = {
  name: "aws",
  title: "AWS",
  capabilities: {
    keySource: "discovery",
    trustGranularity: "issuer",
    usesThumbprint: true,
    algorithms: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
    // A recorded run against the real service saw about 8 s until a new role or provider took effect.
    settleSeconds: 8,
  },
  options: awsOptions,
  searchNeeds: [],
  permissionCommands: ["setup", "grant", "publish", "status", "verify", "teardown"],
  examples: awsExamples,
  documentation: async () => (await import("./documentation.ts")).documentation,
  load: async () => (await import("./provider.ts")).awsProvider,
  loadStandIns: async () => (await import("./sandbox/index.ts")).awsStandIns,
};
