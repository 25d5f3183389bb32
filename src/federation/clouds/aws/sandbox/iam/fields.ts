import type { Field } from "../form.ts";

const ARN: Field = { kind: "text", min: 20, max: 2048 };
const POLICY: Field = { kind: "text", min: 1, max: 131_072, pattern: /^[\t\n\r\u0020-\u00ff]+$/, patternWords: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" };

function nameField(name: string, max: number): Field {
  const patternWords = `The specified value for ${name} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`;
  return { kind: "text", min: 1, max, pattern: /^[\w+=,.@-]+$/, patternWords };
}

/** Every parameter that the stand-in takes, with the bounds of IAM's API reference. */
export const IAM_FIELDS: Readonly<Record<string, Field>> = {
  AssumeRolePolicyDocument: POLICY,
  ClientID: { kind: "text", min: 1, max: 255 },
  ClientIDList: { kind: "list", min: 1, max: 255 },
  Description: {
    kind: "text",
    max: 1000,
    pattern: /^[\t\n\r\u0020-\u007e\u00a1-\u00ff]*$/,
    patternWords: "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
  },
  Filter: { kind: "list", pattern: /^(User|Role|Group|LocalManagedPolicy|AWSManagedPolicy)$/, patternWords: "[User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]" },
  Marker: { kind: "text", min: 1, max: 320, pattern: /^[\u0020-\u00ff]+$/, patternWords: "[\\u0020-\\u00FF]+" },
  MaxItems: { kind: "number", min: 1, max: 1000 },
  MaxSessionDuration: { kind: "number", min: 3600, max: 43_200 },
  OpenIDConnectProviderArn: ARN,
  Path: {
    kind: "text",
    min: 1,
    max: 512,
    pattern: /^(\/|\/[\u0021-\u007e]+\/)$/,
    patternWords: "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
  },
  PathPrefix: { kind: "text", min: 1, max: 512, pattern: /^\/[\u0021-\u007f]*$/, patternWords: "\\u002F[\\u0021-\\u007F]*" },
  PermissionsBoundary: ARN,
  PolicyArn: ARN,
  PolicyDocument: POLICY,
  PolicyName: nameField("policyName", 128),
  RoleName: nameField("roleName", 64),
  TagKeys: { kind: "list", min: 1, max: 128, maxEntries: 50, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u, patternWords: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+" },
  Tags: { kind: "tags", maxEntries: 50 },
  ThumbprintList: { kind: "list", min: 40, max: 40 },
  Url: { kind: "text", min: 1, max: 255 },
};
