import { codes as clusterCodes } from "../../federation/cluster/codes.ts";
import { codes as configCodes } from "../../federation/config/codes.ts";
import { judgeCodes } from "../../federation/clouds/judge/codes.ts";
import { clouds } from "../../federation/clouds/registry.ts";
import type { CheckDefinition } from "../../federation/errors/checks.ts";
import { codes } from "../../federation/errors/codes.ts";
import type { CodeDefinition, ExitCode } from "../../federation/errors/error.ts";
import { statusChecks } from "../../federation/flow/status-checks.ts";
import { codes as oidcCodes } from "../../federation/oidc/codes.ts";
import { codes as publishCodes } from "../../federation/publish/codes.ts";
import { stores } from "../../federation/publish/registry.ts";
import { codes as sandboxCodes } from "../../federation/sandbox/codes.ts";
import { codes as thumbprintCodes } from "../../thumbprint/codes.ts";

/** One thing that can be explained: an error or warning code, or a check. */
export interface Entry {
  readonly code: string;
  readonly kind: "code" | "check";
  /** The exit code of a command that ends with it; null for a check. */
  readonly exit: ExitCode | null;
  readonly summary: string;
  readonly why: string;
  readonly fix: string;
}

/** Every code and check of the product, shared ones first; each name once. */
export async function readEntries(): Promise<readonly Entry[]> {
  const shared = [codes, oidcCodes, thumbprintCodes, publishCodes, clusterCodes, configCodes, judgeCodes, sandboxCodes].flatMap((table) => Object.values<CodeDefinition>(table));
  const ofStores = (await Promise.all(stores.map((store) => store.documentation()))).flatMap((table) => Object.values(table));
  const ofClouds = await Promise.all(clouds.map((cloud) => cloud.documentation()));
  const allCodes = [...shared, ...ofStores, ...ofClouds.flatMap((one) => Object.values(one.codes))];
  const allChecks = [...Object.values<CheckDefinition>(statusChecks), ...ofClouds.flatMap((one) => Object.values(one.checks))];
  const entries = [...allCodes.map(fromCode), ...allChecks.map(fromCheck)];
  return [...new Map(entries.map((entry) => [entry.code, entry])).values()];
}

function fromCode({ code, exit, summary, why, fix }: CodeDefinition): Entry {
  return { code, kind: "code", exit, summary, why, fix };
}

function fromCheck({ id, summary, why, fix }: CheckDefinition): Entry {
  return { code: id, kind: "check", exit: null, summary, why, fix };
}
