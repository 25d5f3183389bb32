import { awsConfig } from "../clouds/aws/config.ts";
import { gcpConfig } from "../clouds/gcp/config.ts";
import type { ConfigPart } from "./config-part.ts";
import { dirConfig } from "./dir.ts";

/** What `kubeassume.yaml` may contain in this version. Adding a cloud is adding its config.ts and a line here. */
export const configParts: readonly ConfigPart[] = [awsConfig, gcpConfig, dirConfig];
