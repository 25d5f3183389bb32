import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CloudWorld } from "../../../../../src/federation/clouds/cloud.ts";
import { type AwsStandInOptions, awsStandIns, type RunningAwsStandIns, startAwsStandIns } from "../../../../../src/federation/clouds/aws/sandbox/index.ts";
import { s3Store } from "../../../../../src/federation/clouds/aws/s3/store.ts";
import type { S3Spec } from "../../../../../src/federation/clouds/aws/s3/spec.ts";
import { createHttp } from "../../../../../src/federation/http/create-http.ts";
import type { PublishedJwk } from "../../../../../src/federation/oidc/publish.ts";
import { applyPublish, type PreparedPublish, preparePublish, type PublishOutcome } from "../../../../../src/federation/publish/publish.ts";
import { type Sandbox, startSandbox } from "../../../../../src/federation/sandbox/start-sandbox.ts";
import type { TrafficOptions } from "../../../../../src/federation/sandbox/traffic.ts";

/** S3, STS and the issuer's front, with kubeassume's S3 store in the same process. */
export interface S3Scene {
  readonly aws: RunningAwsStandIns;
  readonly sandbox: Sandbox;
  readonly world: CloudWorld;
  /** By flags, as on the command line. */
  spec(flags: Readonly<Record<string, string | boolean>>, issuer?: string): S3Spec;
  prepare(spec: S3Spec, keys: readonly PublishedJwk[], prune?: boolean): Promise<PreparedPublish>;
  publish(spec: S3Spec, keys: readonly PublishedJwk[], prune?: boolean): Promise<PublishOutcome>;
  /** Requests since the last call, as `METHOD path?query`. */
  asked(): readonly string[];
  close(): Promise<void>;
}

export async function startS3(options: AwsStandInOptions = {}, traffic: TrafficOptions = {}): Promise<S3Scene> {
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-s3-"));
  let aws: RunningAwsStandIns | undefined;
  const start = async (host: Parameters<typeof startAwsStandIns>[0]) => (aws = await startAwsStandIns(host, options));
  const sandbox = await startSandbox({ clouds: { aws: { ...awsStandIns, start } }, dir, now: () => new Date(), ...traffic });
  if (aws === undefined) throw new Error("the stand-ins did not start");
  const running = aws;
  const { accessKeyId, secretAccessKey } = running.credentials;
  const env = { ...running.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const http = createHttp({ caPem: [sandbox.caPem], env: {}, timeoutMs: 5000 });
  const world: CloudWorld = { env, http, caPem: [sandbox.caPem], now: () => new Date(), signal: new AbortController().signal, timeoutMs: 5000, notify: () => undefined };
  const prepare: S3Scene["prepare"] = (spec, keys, prune = false) => {
    const sources = [{ name: "set", format: "jwks" as const, text: JSON.stringify({ keys }) }];
    return preparePublish({ definition: { name: "s3", cloud: "aws" }, store: s3Store, spec }, world, async () => ({ sources, unreachable: [] }), prune);
  };
  let seen = 0;
  return {
    aws: running,
    sandbox,
    world,
    spec: (flags, issuer = sandbox.issuerUrl) => s3Store.toSpec({ flags: { region: "eu-west-1", issuerUrl: issuer, ...flags }, entry: {}, config: null, cwd: dir, env }),
    prepare,
    publish: async (spec, keys, prune) => applyPublish(await prepare(spec, keys, prune), { http, wait: async () => undefined, resume: "kubeassume publish s3" }),
    asked: () => {
      const fresh = sandbox.requests.slice(seen);
      seen = sandbox.requests.length;
      return fresh.map(({ method, url }) => `${method} ${new URL(url).pathname}${new URL(url).search}`);
    },
    close: async () => {
      await sandbox.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
