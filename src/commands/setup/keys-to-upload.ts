import type { CloudInput, SetupSpec } from "../../federation/clouds/cloud.ts";
import { KubeassumeError, type Problem } from "../../federation/errors/error.ts";
import { privateIssuer } from "../../federation/flow/issuer.ts";
import type { SetupJourney } from "../../federation/flow/setup.ts";
import { codes as publishCodes } from "../../federation/publish/codes.ts";
import { parseKeySources } from "../../federation/publish/keys.ts";
import { readKeys, toKeyInput } from "../../federation/publish/read-keys.ts";
import type { CommandContext } from "../command.ts";

type ReadFacts = SetupJourney<SetupSpec>["readFacts"];

/** The keys from files, or from every API server of the cluster. */
export function readKeysToUpload(issuer: string, { flags, config }: CloudInput, context: CommandContext): ReadFacts {
  const { cwd, env } = context.world;
  const keyInput = toKeyInput({ flags, entry: {}, config, cwd, env });
  return async () => {
    const { sources, unreachable } = await readKeys(keyInput, context.cluster);
    if (keyInput.prune && unreachable.length > 0) throw pruneUnsafe(unreachable);
    return { facts: privateIssuer(issuer, { keys: parseKeySources(sources) }), warnings: unreachable };
  };
}

function pruneUnsafe(unreachable: readonly Problem[]): KubeassumeError {
  const message = `${unreachable.length === 1 ? "one API server" : `${unreachable.length} API servers`} could not be asked for its keys, so none can be pruned`;
  return new KubeassumeError(publishCodes.PRUNE_UNSAFE, { message, details: { unreachable: unreachable.map((problem) => problem.message) } });
}
