import type { Cloud } from "../cloud.ts";
import { gcpExamples, gcpOptions } from "./options.ts";

/** GCP as every start of kubeassume sees it: names, flags and doors, no SDK and no judge. */
export const gcp: Cloud = {
  name: "gcp",
  title: "GCP",
  capabilities: {
    keySource: "either",
    trustGranularity: "issuer",
    usesThumbprint: false,
    algorithms: ["RS256", "ES256"],
    // Two minutes are typical for policies, seven and more possible (IAM, "Access change propagation").
    settleSeconds: 120,
  },
  options: gcpOptions,
  searchNeeds: ["project"],
  permissionCommands: ["setup", "grant", "publish", "status", "verify", "teardown"],
  examples: gcpExamples,
  documentation: async () => (await import("./documentation.ts")).documentation,
  load: async () => (await import("./provider.ts")).gcpProvider,
  loadStandIns: async () => (await import("./sandbox/index.ts")).gcpStandIns,
};
