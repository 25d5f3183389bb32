import { CreateAccessKeyCommand, CreatePolicyCommand, CreateUserCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { startAwsStandIns } from "../../../src/federation/clouds/aws/sandbox/start.ts";
import type { RunningAwsStandIns } from "../../../src/federation/clouds/aws/sandbox/start.ts";
import { startSandbox } from "../../../src/federation/sandbox/start-sandbox.ts";
import { toAwsClients } from "./aws-clients.ts";
import type { AwsClients } from "./aws-clients.ts";
import type { IssuerOptions, ServedDocument } from "./issuer.ts";
import { startMoto } from "./moto.ts";
import { makeTemporaryFolder } from "./temporary.ts";

export interface IdentityPolicy {
  readonly Version: string;
  readonly Statement: readonly { readonly Sid: string; readonly Effect: "Allow"; readonly Action: readonly string[]; readonly Resource: string | readonly string[] }[];
}

type Env = Readonly<Record<string, string>>;

/** An AWS account, 123456789012, with an administrator and one person who may do what a policy says. */
export interface RestrictedAccount {
  /** How a gateway reads a bucket: as a stranger by its address, or with credentials. */
  gatewayTo(bucket: string): Required<IssuerOptions>["upstream"];
  /** A customer managed policy. */
  createPolicy(name: string, document: string): Promise<void>;
  /** The administrator, through AWS's own SDK and as kubeassume's environment; not while the person is at work. */
  readonly admin: AwsClients;
  readonly adminEnv: Env;
  /** Actions that it does not ask for, although AWS does. */
  readonly blindTo: readonly string[];
  /** Forgets everything. */
  reset(): Promise<void>;
  /** Runs something as the person. */
  asPerson<T>(policy: IdentityPolicy, work: (env: Env) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

const REGION = "eu-west-1";

/**
 * moto with its own authorization, which knows actions and for IAM no resources (`moto/iam/access_control.py`): IAM
 * statements get the resource `*`. Some of its S3 actions have other names than AWS's: HEAD of a bucket is s3:HeadBucket,
 * and the ownership and the public access block are asked for as if they were the bucket itself.
 */
export async function startMotoAccount(): Promise<RestrictedAccount> {
  const moto = await startMoto();
  const admin = toAwsClients({ endpoint: moto.url });
  const people: AccessKeys[] = [];
  const createPerson = async (policy: object): Promise<AccessKeys> => {
    const UserName = `person-${people.length}`;
    await admin.iam.send(new CreateUserCommand({ UserName }));
    await admin.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "least", PolicyDocument: JSON.stringify(policy) }));
    const { AccessKey } = await admin.iam.send(new CreateAccessKeyCommand({ UserName }));
    const keys = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
    people.push(keys);
    return keys;
  };
  // While it checks signatures, moto answers 500 to strangers.
  let gateway: Promise<AccessKeys> = createPerson(GATEWAY_POLICY);
  return {
    gatewayTo: (bucket) => async (path) => readObject(toAwsClients({ endpoint: moto.url, credentials: await gateway }).s3, bucket, path.slice(1)),
    createPolicy: async (PolicyName, PolicyDocument) => {
      await admin.iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));
    },
    admin,
    adminEnv: moto.env,
    blindTo: ["s3:GetBucketOwnershipControls", "s3:GetBucketPublicAccessBlock", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock"],
    reset: async () => {
      await moto.reset();
      gateway = createPerson(GATEWAY_POLICY);
      await gateway;
    },
    asPerson: async (policy, work) => {
      const { accessKeyId, secretAccessKey } = await createPerson(toMotoPolicy(policy));
      await moto.enforceAuthorization(true);
      try {
        return await work({ ...moto.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
      } finally {
        await moto.enforceAuthorization(false);
      }
    },
    stop: () => moto.stop(),
  };
}

const GATEWAY_POLICY = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] };

interface AccessKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

async function readObject(s3: S3Client, Bucket: string, Key: string): Promise<ServedDocument> {
  try {
    const { Body, ContentType = "", CacheControl = "" } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return { status: 200, headers: { "content-type": ContentType, "cache-control": CacheControl }, body: (await Body?.transformToString()) ?? "" };
  } catch {
    return { status: 404, headers: { "content-type": "text/plain" }, body: "not found\n" };
  }
}

function toMotoPolicy({ Version, Statement }: IdentityPolicy): object {
  const translated = Statement.map((statement) => {
    const Action = statement.Action.flatMap((action) => (action === "s3:ListBucket" ? [action, "s3:HeadBucket"] : [action]));
    return { ...statement, Action, Resource: Action.every((action) => action.startsWith("iam:")) ? "*" : statement.Resource };
  });
  return { Version, Statement: translated };
}

/** The sandbox's own stand-ins, which check AWS's actions on AWS's resources. The person is a session of a role. */
export async function startSandboxAccount(): Promise<RestrictedAccount> {
  const folder = await makeTemporaryFolder("sandbox");
  let standIns: RunningAwsStandIns | undefined;
  const start = async (host: Parameters<typeof startAwsStandIns>[0]): Promise<RunningAwsStandIns> => (standIns = await startAwsStandIns(host));
  const sandbox = await startSandbox({ clouds: { aws: { start } }, dir: folder.directory, now: () => new Date() });
  if (standIns === undefined) throw new Error("the sandbox has started no stand-ins of AWS");
  const { urls, credentials, state } = standIns;
  const clients = (endpoint: string): AwsClients => toAwsClients({ endpoint, region: REGION, credentials });
  const endpoints = { AWS_ENDPOINT_URL_IAM: urls.iam, AWS_ENDPOINT_URL_STS: urls.sts, AWS_ENDPOINT_URL_S3: urls.s3, AWS_REGION: REGION };
  return {
    gatewayTo: (bucket) => `${urls.s3}/${bucket}`,
    createPolicy: async (name, document) => void state.policies.set(`arn:aws:iam::${state.account}:policy/${name}`, document),
    admin: { iam: clients(urls.iam).iam, sts: clients(urls.sts).sts, s3: clients(urls.s3).s3 },
    adminEnv: { ...endpoints, AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
    blindTo: [],
    reset: async () => {
      for (const things of [state.providers, state.roles, state.buckets, state.policies]) things.clear();
    },
    asPerson: async (policy, work) => {
      const session = { accessKeyId: "ASIAPERSON0000000000", secretAccessKey: "person-secret", sessionToken: "person-session", expires: null };
      const arn = `arn:aws:sts::${state.account}:assumed-role/person/session`;
      state.credentials.set(session.accessKeyId, { ...session, principal: { arn, userId: "AROAPERSON:session", account: state.account, roleName: "person", sessionPolicies: [] } });
      state.roles.set("person", toPersonRole(state.account, JSON.stringify(policy)));
      try {
        return await work({ ...endpoints, AWS_ACCESS_KEY_ID: session.accessKeyId, AWS_SECRET_ACCESS_KEY: session.secretAccessKey, AWS_SESSION_TOKEN: session.sessionToken });
      } finally {
        state.roles.delete("person");
      }
    },
    stop: async () => {
      await sandbox.close();
      await folder.remove();
    },
  };
}

function toPersonRole(account: string, policy: string) {
  return {
    name: "person",
    path: "/",
    roleId: "AROAPERSON",
    arn: `arn:aws:iam::${account}:role/person`,
    createDate: new Date(0),
    assumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "sts:AssumeRole" }] }),
    description: undefined,
    maxSessionDuration: 3600,
    permissionsBoundary: undefined,
    tags: [],
    attachedPolicies: new Set<string>(),
    inlinePolicies: new Map([["least", policy]]),
    lastUsed: undefined,
  };
}
