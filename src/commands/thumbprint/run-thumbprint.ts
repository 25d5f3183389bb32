import { readThumbprint, type ThumbprintData } from "../../thumbprint/index.ts";
import type { CommandContext, CommandResult } from "../command.ts";

/** Reads and shows one chain. */
export async function runThumbprint(context: CommandContext): Promise<CommandResult> {
  const [url = ""] = context.arguments;
  context.ui.progress(`reading ${url}`);
  const { data, warnings } = await readThumbprint(url, {
    http: await context.http(),
    caPem: await context.caPem(),
    timeoutMs: context.timeoutMs,
    signal: context.signal,
    env: context.world.env,
    now: context.world.now(),
    jwks: context.flags["jwks"] === true,
  });
  return { data, warnings, text: renderChain(data) };
}

function renderChain(data: ThumbprintData): string {
  const rows = data.chain.flatMap((entry, index) => [
    `${index} ${entry.role.padEnd(12)} ${entry.subject}`,
    `  issued by    ${entry.issuer}`,
    `  expires      ${entry.notAfter}`,
    `  sha1         ${entry.sha1}`,
  ]);
  const use = data.usedByAws ? "AWS uses it: the chain is not publicly trusted" : data.publiclyTrusted ? "AWS does not use it: the chain is publicly trusted" : "do not register it: the chain does not verify";
  const jwks = data.jwksUri === null ? [] : [`jwks:       ${data.jwksUri}`];
  return `${[...rows, ...jwks, `thumbprint: ${data.thumbprint}`, use].join("\n")}\n`;
}
