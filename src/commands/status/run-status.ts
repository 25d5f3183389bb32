import type { Cloud, CloudInput } from "../../federation/clouds/cloud.ts";
import { clouds, findCloud } from "../../federation/clouds/registry.ts";
import type { Cluster } from "../../federation/cluster/cluster.ts";
import type { LoadedConfig } from "../../federation/config/loaded-config.ts";
import type { Check } from "../../federation/errors/checks.ts";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import { readStatus, type StatusCloud } from "../../federation/flow/status.ts";
import { renderChecks } from "../../federation/report/render-checks.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { chainReader } from "../edge/chain-reader.ts";
import { readPolicyFiles } from "../edge/policy-files.ts";
import { styleFor, wantsColor } from "../edge/ui.ts";

/** Reads everything side by side, judges it, and ends with exit code 3 when a check failed. */
export async function runStatus(context: CommandContext): Promise<CommandResult> {
  const config = await context.config();
  const wanted = wantedClouds(context, config);
  const statusClouds = await Promise.all(wanted.map((cloud) => toStatusCloud(cloud, { flags: context.flags, config }, context)));
  const issuer = statusClouds[0]?.spec.issuer ?? "";
  context.ui.progress(`reading ${issuer}`);
  const checks = await readStatus({
    issuer,
    clouds: statusClouds,
    http: await context.http(),
    readChain: chainReader(context),
    cluster: await wantedCluster(context, config),
    mint: context.flags["mint"] === true || context.flags["exchange"] === true,
    exchange: context.flags["exchange"] === true,
    now: context.world.now,
  });
  return toResult(issuer, checks, context);
}

function toResult(issuer: string, checks: readonly Check[], context: CommandContext): CommandResult {
  const count = (status: Check["status"]) => checks.filter((check) => check.status === status).length;
  const summary = { pass: count("pass"), warn: count("warn"), fail: count("fail"), skip: count("skip") };
  const failed = summary.fail > 0 || (context.flags["strict"] === true && summary.warn > 0);
  const color = context.world.stdout.isTTY && wantsColor(context.world, context.flags["color"] === false);
  const result = { data: { issuer, checks, summary }, warnings: [], text: renderChecks(checks, styleFor(color)) };
  if (!failed) return result;
  const bad = checks.filter((check) => check.status === "fail" || check.status === "warn").map((check) => check.id);
  const message = summary.fail > 0 ? `${summary.fail} of ${checks.length} checks failed` : `${summary.warn} of ${checks.length} checks warn, and --strict was given`;
  return { ...result, error: new KubeassumeError(codes.CHECKS_FAILED, { message, details: { checks: bad } }) };
}

function wantedClouds(context: CommandContext, config: LoadedConfig | null): readonly Cloud[] {
  const [name] = context.arguments;
  const named = name === undefined ? undefined : findCloud(name);
  if (named !== undefined) return [named];
  const inConfig = clouds.filter((cloud) => config?.clouds[cloud.name] !== undefined);
  if (inConfig.length > 0) return inConfig;
  throw new KubeassumeError(codes.FLAG_MISSING, {
    message: "no cloud is named",
    hint: `name one (${clouds.map((cloud) => cloud.name).join(", ")}), or list it under clouds in kubeassume.yaml`,
  });
}

async function toStatusCloud(cloud: Cloud, written: CloudInput, context: CommandContext): Promise<StatusCloud> {
  const provider = await cloud.load();
  const input = await readPolicyFiles(written, cloud.name, context.world.cwd);
  const spec = provider.toSetupSpec(input);
  const grants = hasGrants(cloud, input) ? provider.toGrantSpecs(input) : [];
  return { name: cloud.name, provider, connection: await provider.connect(await context.cloudWorld(), input), spec, grants, flags: context.flags };
}

function hasGrants(cloud: Cloud, input: CloudInput): boolean {
  return input.flags["serviceAccount"] !== undefined || (input.config?.grants.some((grant) => grant[cloud.name] !== undefined) ?? false);
}

/** A cluster is asked when somebody named one: by flag, by config, or by asking for something that needs it. */
async function wantedCluster(context: CommandContext, config: LoadedConfig | null): Promise<Cluster | null> {
  const named = context.flags["kubeconfig"] ?? context.flags["context"] ?? config?.cluster ?? context.world.env["KUBECONFIG"];
  const needed = context.flags["mint"] === true || context.flags["exchange"] === true;
  return named !== undefined || needed ? context.cluster() : null;
}
