import type { ReadChain } from "../../federation/flow/issuer.ts";
import type { CommandContext } from "../command.ts";

/** Reads TLS chains with the command's CA, proxy and bounds; loads src/thumbprint on first use. */
export function chainReader(context: CommandContext): ReadChain {
  return async (jwksUri, issuer) => {
    const { readChainFacts } = await import("../../thumbprint/chain-facts.ts");
    return readChainFacts(jwksUri, issuer, {
      caPem: await context.caPem(),
      timeoutMs: context.timeoutMs,
      signal: context.signal,
      env: context.world.env,
      now: context.world.now(),
    });
  };
}
