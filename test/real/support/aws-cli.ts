import { dirname } from "node:path";
import { obtainComponent } from "./cache.ts";

export interface AwsCli {
  /** The full path of the program `aws`. */
  readonly command: string;
  /** The folder it lies in, to be put first in `PATH`. */
  readonly directory: string;
}

/** AWS's own command line (version 1, the one on PyPI), whatever else this machine has installed. */
export async function awsCli(): Promise<AwsCli> {
  const command = await obtainComponent("awscli");
  return { command, directory: dirname(command) };
}
