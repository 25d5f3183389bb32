import type { Cloud } from "../../federation/clouds/cloud.ts";
import type { CommandDefinition } from "../command.ts";

/** `verify CLOUD`: judge a token as the cloud would. */
export function verifyCommand(cloud: Cloud): CommandDefinition {
  return {
    path: ["verify", cloud.name],
    kind: "VerifyReport",
    summary: `judge a token as ${cloud.title} would, and say which rule refuses it`,
    options: [
      { name: "token-file", value: "FILE", description: "the token; - for standard input" },
      { name: "service-account", value: "NS/NAME", description: "mint a token of this service account instead" },
      { name: "jwks-file", value: "FILE", description: "the key set", defaultText: "read from the issuer" },
      { name: "discovery-file", value: "FILE", description: "the discovery document", defaultText: "read from the issuer" },
      { name: "trust-file", value: "FILE", description: `the records of ${cloud.title}`, defaultText: `read from ${cloud.title}` },
      { name: "at", value: "TIME", description: "judge at this time, RFC 3339 or epoch seconds", defaultText: "now" },
      { name: "exchange", description: "also ask the real token service, and show where it disagrees" },
      ...cloud.options.verify,
    ],
    examples: cloud.examples.verify,
    run: async (context) => (await import("./run-verify.ts")).runVerify(cloud, context),
  };
}
