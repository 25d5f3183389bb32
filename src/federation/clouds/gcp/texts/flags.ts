import { toShellWord } from "../../../report/shell-word.ts";
import type { GcpAccess, GcpGrantSpec } from "../input/grant-spec.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { DEFAULT_PROVIDER_ID } from "../names.ts";

/** What the next command must be told again, ready to paste: issuer, place, audiences. */
export function flagsFor(spec: GcpSetupSpec | GcpGrantSpec): string {
  const words = [
    ["--issuer-url", spec.issuer],
    ["--project", spec.project],
    ["--pool-id", spec.poolId],
    ...(spec.providerId === DEFAULT_PROVIDER_ID ? [] : [["--provider-id", spec.providerId]]),
    ...spec.audiences.map((audience) => ["--audience", audience]),
    ...(spec.subjectPrefix === "" ? [] : [["--subject-prefix", spec.subjectPrefix]]),
  ];
  return words.map(([flag, value = ""]) => `${flag} ${toShellWord(value)}`).join(" ");
}

/** The flags that say what a grant gives. */
export function accessFlags(access: GcpAccess): string {
  if (access.kind === "impersonate") return `--impersonate ${toShellWord(access.email)}${access.create ? " --create-service-account" : ""}`;
  const roles = access.roles.map((role) => `--role ${toShellWord(role)}`).join(" ");
  return access.on.kind === "bucket" ? `${roles} --on ${toShellWord(`bucket:${access.on.name}`)}` : roles;
}
