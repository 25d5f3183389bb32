import type { CloudInput, ServiceAccount, SetupSpec } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { parseServiceAccountName } from "../../../oidc/subject.ts";
import { cloudConfigOf, configGrants, createProblems, listOf, type Problems, readIssuerUrl, textOf, uniqueAccounts } from "../../input.ts";
import { gcpInputCodes } from "../codes.ts";
import { compileCondition } from "../judge/cel.ts";
import { type GcpPlace, givenText, quote, readAudiences, readPlace } from "./common.ts";

export interface GcpSetupSpec extends SetupSpec, GcpPlace {
  /** At most 10; empty leaves the provider's own name as the only audience. */
  readonly audiences: readonly string[];
  /** The pool's display name; null leaves it alone. */
  readonly poolName: string | null;
  readonly keySource: "discovery" | "upload";
  /** False when `keySource` is only the default: keys that were uploaded are then not removed. */
  readonly keySourceGiven: boolean;
  /** Of an upload: stored keys that the cluster does not have go as well. */
  readonly pruneKeys: boolean;
  /** CEL; null leaves it alone, an empty text removes it. */
  readonly attributeCondition: string | null;
  /** The service accounts that the config's grants name: the condition must not shut them all out. */
  readonly grantedAccounts: readonly ServiceAccount[];
}

const MAX_POOL_NAME = 32;
const MAX_CONDITION = 4096;
const KEY_FILE_FLAGS = [["jwksFile", "--jwks-file"], ["publicKeyFile", "--public-key-file"]] as const;

/**
 * `setup gcp` from flags and config. Throws all problems at once: FLAG_MISSING, FLAGS_CONFLICT, ISSUER_*,
 * GCP_PROJECT_INVALID, GCP_ID_INVALID, GCP_NAME_TOO_LONG, GCP_AUDIENCE_INVALID, GCP_TOO_MANY_AUDIENCES,
 * GCP_KEY_SOURCE_INVALID, GCP_CONDITION_INVALID, GCP_SUBJECT_PREFIX_INVALID.
 */
export function toSetupSpec(input: CloudInput): GcpSetupSpec {
  const problems = createProblems();
  const spec = {
    issuer: readIssuerUrl(input, problems),
    ...readPlace(input, problems),
    audiences: readAudiences(input, problems),
    poolName: readPoolName(input, problems),
    ...readKeySource(input, problems),
    attributeCondition: readCondition(input, problems),
    grantedAccounts: grantedAccounts(input),
    adopt: input.flags["adopt"] === true,
  };
  problems.throwAll();
  return spec;
}

export function readPoolName(input: CloudInput, problems: Problems): string | null {
  const name = givenText(input, "poolName");
  if (name !== null && name.length > MAX_POOL_NAME) problems.add(gcpInputCodes.GCP_NAME_TOO_LONG, `pool name ${quote(name)} has ${name.length} characters, more than ${MAX_POOL_NAME}`);
  return name;
}

export function readKeySource(input: CloudInput, problems: Problems): Pick<GcpSetupSpec, "keySource" | "keySourceGiven" | "pruneKeys"> {
  const given = givenText(input, "keys");
  const known = given === "discovery" || given === "upload" ? given : null;
  if (given !== null && known === null) problems.add(gcpInputCodes.GCP_KEY_SOURCE_INVALID, `--keys is ${quote(given)}, neither discovery nor upload`);
  const files = KEY_FILE_FLAGS.filter(([name]) => (listOf(input.flags[name]) ?? []).length > 0).map(([, flag]) => flag);
  const pruneKeys = input.flags["pruneKeys"] === true;
  if (files.length > 1) problems.add(codes.FLAGS_CONFLICT, `${files.join(" and ")} are both given`);
  const inVain = [...files, ...(pruneKeys ? ["--prune-keys"] : [])];
  if (inVain.length > 0 && given !== "upload") {
    problems.add(codes.FLAGS_CONFLICT, `${inVain.join(" and ")} without --keys upload`, "add --keys upload: with discovery Google reads the keys from the issuer, where kubeassume publish keeps them");
  }
  return { keySource: known ?? "discovery", keySourceGiven: known !== null, pruneKeys };
}

export function readCondition(input: CloudInput, problems: Problems): string | null {
  const given = input.flags["attributeCondition"] ?? cloudConfigOf(input, "gcp")["attributeCondition"];
  if (typeof given !== "string") return null;
  const condition = given.trim();
  if (condition === "") return "";
  if (condition.length > MAX_CONDITION) {
    problems.add(gcpInputCodes.GCP_CONDITION_INVALID, `the attribute condition has ${condition.length} characters, more than ${MAX_CONDITION}`);
    return condition;
  }
  const wrong = compileCondition(condition);
  if (wrong !== null) {
    const position = `line ${wrong.line}, column ${wrong.column}`;
    problems.include([new KubeassumeError(gcpInputCodes.GCP_CONDITION_INVALID, {
      message: `the attribute condition does not compile: ${wrong.message} (${position}): ${pointAt(condition, wrong.line, wrong.column)}`,
      details: { line: wrong.line, column: wrong.column },
    })]);
  }
  return condition;
}

/** The line with the place in it, cut to what fits into a message. */
function pointAt(text: string, line: number, column: number): string {
  const row = text.split("\n")[line - 1] ?? "";
  const at = Math.min(Math.max(column - 1, 0), row.length);
  const [before, after] = [row.slice(Math.max(0, at - 40), at), row.slice(at, at + 40)];
  return `${at > 40 ? "..." : ""}${before}>>>${after}${row.length > at + 40 ? "..." : ""}`;
}

/** Those of the config's grants that can be read; the others are for `grant` to complain about. */
function grantedAccounts(input: CloudInput): readonly ServiceAccount[] {
  const accounts = configGrants(input, "gcp").flatMap(({ serviceAccount }) => {
    try {
      return [parseServiceAccountName(textOf(serviceAccount) ?? "")];
    } catch (error) {
      if (error instanceof KubeassumeError) return [];
      throw error;
    }
  });
  return uniqueAccounts(accounts);
}
