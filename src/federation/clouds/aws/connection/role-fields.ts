import type { ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields, Json } from "../../../plan/step.ts";
import { ROLE_PATH } from "../arn.ts";
import { INLINE_POLICY_NAME, inlinePolicyId, roleId, rolePolicyId, roleTrustId } from "../ids.ts";
import type { AwsGrantSpec } from "../input/grant-spec.ts";
import { issuerTagValue, ourTags, readMarks, type Tag, toTagText } from "../marks.ts";

/** A role as read, whichever call it came from. */
export interface RoleRead {
  readonly name: string;
  readonly arn: string;
  readonly path: string;
  readonly createdAt: string | null;
  readonly trustPolicy: Json;
  readonly tags: readonly Tag[];
  readonly permissionsBoundary: string | null;
  /** Null when the call does not say. */
  readonly maxSessionDuration: number | null;
  readonly attached: readonly string[];
  /** Inline policies by name, as far as they were read. */
  readonly inline: ReadonlyMap<string, Json>;
  readonly instanceProfiles: readonly string[];
}

/** What the SDK's records of roles have in common. */
export interface SdkRole {
  readonly RoleName?: string | undefined;
  readonly Arn?: string | undefined;
  readonly Path?: string | undefined;
  readonly CreateDate?: Date | undefined;
  readonly AssumeRolePolicyDocument?: string | undefined;
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
  readonly PermissionsBoundary?: { readonly PermissionsBoundaryArn?: string | undefined } | undefined;
  readonly MaxSessionDuration?: number | undefined;
}

/** One record of the SDK, with the parts that other calls brought. */
export function toRoleRead(role: SdkRole, parts: Partial<Pick<RoleRead, "attached" | "inline" | "instanceProfiles">> = {}): RoleRead {
  return {
    name: role.RoleName ?? "",
    arn: role.Arn ?? "",
    path: role.Path ?? "/",
    createdAt: role.CreateDate?.toISOString() ?? null,
    trustPolicy: parseDocument(role.AssumeRolePolicyDocument ?? ""),
    tags: ourTags(role.Tags ?? []),
    permissionsBoundary: role.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
    maxSessionDuration: role.MaxSessionDuration ?? null,
    attached: parts.attached ?? [],
    inline: parts.inline ?? new Map(),
    instanceProfiles: parts.instanceProfiles ?? [],
  };
}

/** IAM returns policies URL-encoded (RFC 3986). What is no JSON stays text, which nothing is ever equal to. */
export function parseDocument(encoded: string): Json {
  try {
    return JSON.parse(encoded.trimStart().startsWith("{") ? encoded : decodeURIComponent(encoded)) as Json;
  } catch {
    return encoded;
  }
}

/** What the plan compares for one grant; nothing when the role does not exist. */
export function toObserved(spec: AwsGrantSpec, role: RoleRead): readonly ObservedResource[] {
  const fields = fieldsOf(role);
  if (spec.role.kind === "existing") return [{ id: roleTrustId(spec.role.arn.name), marked: true, fields: { roleName: role.name, ...fields } }];
  const { name } = spec.role;
  const attached = spec.policyArns.filter((arn) => role.attached.includes(arn));
  const inline = role.inline.get(INLINE_POLICY_NAME);
  return [
    { id: roleId(name), fields, ...ownership(spec, role) },
    ...attached.map((policyArn) => ({ id: rolePolicyId(name, policyArn), marked: true, fields: { roleName: name, policyArn } })),
    ...(inline === undefined ? [] : [{ id: inlinePolicyId(name), marked: true, fields: { roleName: name, policyName: INLINE_POLICY_NAME, policyDocument: inline } }]),
  ];
}

/** What the plan compares of a role itself; members that were not read are left out. */
export function fieldsOf(role: RoleRead): Fields {
  return {
    arn: role.arn,
    trustPolicy: role.trustPolicy,
    tags: role.tags.map(toTagText),
    ...(role.maxSessionDuration === null ? {} : { maxSessionDuration: role.maxSessionDuration }),
    ...(role.permissionsBoundary === null ? {} : { permissionsBoundary: role.permissionsBoundary }),
    ...(role.createdAt === null ? {} : { createdAt: role.createdAt }),
  };
}

/** Ours when the tags say so for this issuer. A role of another issuer or path can be used, but not taken over. */
function ownership(spec: AwsGrantSpec, role: RoleRead): Pick<ObservedResource, "marked" | "adoptionRefusal"> {
  const { managed, issuerTag } = readMarks(role.tags);
  const otherIssuer = managed && issuerTag !== null && issuerTag !== issuerTagValue(spec.issuer);
  if (otherIssuer) {
    return { marked: false, adoptionRefusal: `kubeassume made it for ${issuerTag}; to use it for this issuer too, give --role-arn ${role.arn}, or choose another --role-name` };
  }
  if (role.path !== ROLE_PATH) {
    return { marked: false, adoptionRefusal: `it has the path ${role.path}, which cannot be changed; to add a statement to it give --role-arn ${role.arn}, or choose another --role-name` };
  }
  return { marked: managed };
}
