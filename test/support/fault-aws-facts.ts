import type { AwsState, Bucket, Role } from "../../src/federation/clouds/aws/sandbox/index.ts";
import type { Facts } from "./fault-cloud.ts";

export function awsFacts({ providers, roles, buckets }: AwsState): Facts {
  const [provider] = providers.values();
  return {
    "aws.provider": provider === undefined ? null : { clientIds: [...provider.clientIds].sort(), thumbprints: provider.thumbprints, tags: inOrder(provider.tags) },
    ...Object.assign({}, ...[...roles.values()].map(roleFacts)),
    ...Object.assign({}, ...[...buckets.values()].map(bucketFacts)),
  };
}

function roleFacts(role: Role): Facts {
  const { name, path, description, maxSessionDuration, permissionsBoundary, tags } = role;
  const trust: unknown = JSON.parse(role.assumeRolePolicyDocument);
  const policies = [...role.attachedPolicies].sort().map((arn) => [`aws.role/${name}/policy/${arn}`, true] as const);
  const inline = [...role.inlinePolicies].map(([policy, text]) => [policy === "kubeassume" ? `aws.role/${name}/inline` : `aws.role/${name}/inline/${policy}`, JSON.parse(text)] as const);
  return {
    [`aws.role/${name}`]: { path, description: description ?? null, maxSessionDuration, permissionsBoundary: permissionsBoundary ?? null, tags: inOrder(tags), trust },
    [`aws.role/${name}/trust`]: trust,
    ...Object.fromEntries([...policies, ...inline]),
  };
}

/** Settings that a new bucket has by itself count as none. */
function bucketFacts(bucket: Bucket): Facts {
  const { name, region, publicAccessBlock, ownership, policy, tags, objects } = bucket;
  const jwks = objectFacts(bucket, "openid/v1/jwks");
  const discovery = objectFacts(bucket, ".well-known/openid-configuration");
  const foreign = [...objects.keys()].filter((key) => !/openid/.test(key)).sort();
  const isDefault = publicAccessBlock !== null && Object.values(publicAccessBlock).every((flag) => flag);
  return {
    [`s3.bucket/${name}`]: { region },
    [`s3.tags/${name}`]: tags.length === 0 ? null : inOrder(tags),
    [`s3.ownership/${name}`]: ownership === "BucketOwnerEnforced" ? null : { ownership },
    [`s3.public-access-block/${name}`]: isDefault ? null : { publicAccessBlock },
    [`s3.policy/${name}`]: policy === null ? null : (JSON.parse(policy) as unknown),
    [`s3.jwks/${name}`]: jwks,
    [`s3.discovery/${name}`]: discovery,
    [`other objects in ${name}`]: foreign.length === 0 ? null : foreign,
  };
}

function objectFacts({ objects }: Bucket, key: string): unknown {
  const object = objects.get(key);
  return object === undefined ? null : { body: object.body.toString("utf8"), headers: object.headers };
}

function inOrder(tags: readonly { readonly key: string; readonly value: string }[]): readonly string[] {
  return tags.map(({ key, value }) => `${key}=${value}`).sort();
}
