import { resolve } from "node:path";
import type { CloudInput } from "../../federation/clouds/cloud.ts";
import { readTextFile } from "./context.ts";

/**
 * Reads the policy files that flags and config name, so that everything behind this line is pure:
 * the text of `--policy-file` becomes the flag value `policyFileText`, that of a grant's `policyFile` its member
 * `policyFileText`. Throws FILE_UNREADABLE.
 */
export async function readPolicyFiles(input: CloudInput, cloud: string, cwd: string): Promise<CloudInput> {
  const flag = input.flags["policyFile"];
  const flags = typeof flag === "string" ? { ...input.flags, policyFileText: await readTextFile(resolve(cwd, flag), "the policy file") } : input.flags;
  if (input.config === null) return { ...input, flags };
  const base = resolve(cwd, input.config.file, "..");
  const grants = await Promise.all(
    input.config.grants.map(async (grant) => {
      const part = grant[cloud] as { readonly policyFile?: string } | undefined;
      if (part?.policyFile === undefined) return grant;
      return { ...grant, [cloud]: { ...part, policyFileText: await readTextFile(resolve(base, part.policyFile), "the policy file") } };
    }),
  );
  return { flags, config: { ...input.config, grants } };
}
