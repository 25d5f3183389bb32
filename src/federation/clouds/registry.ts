import { aws } from "./aws/cloud.ts";
import { gcp } from "./gcp/cloud.ts";
import type { Cloud } from "./cloud.ts";

/** Every cloud of this version, in the order of help texts. Adding a cloud is adding a folder and a line here. */
export const clouds: readonly Cloud[] = [aws, gcp];

/** The cloud of that name, as in commands and config. */
export function findCloud(name: string): Cloud | undefined {
  return clouds.find((cloud) => cloud.name === name);
}
