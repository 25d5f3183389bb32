import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GcsSpec } from "../../../../../src/federation/clouds/gcp/gcs/spec.ts";
import { gcsStore } from "../../../../../src/federation/clouds/gcp/gcs/store.ts";
import { readPublished } from "../../../../../src/federation/clouds/gcp/sandbox/storage/service.ts";
import type { CloudWorld } from "../../../../../src/federation/clouds/cloud.ts";
import { createHttp } from "../../../../../src/federation/http/create-http.ts";
import type { PublishedJwk } from "../../../../../src/federation/oidc/publish.ts";
import { applyPublish, type PreparedPublish, preparePublish, type PublishOutcome } from "../../../../../src/federation/publish/publish.ts";
import { type Sandbox, startSandbox } from "../../../../../src/federation/sandbox/start-sandbox.ts";
import type { Handler } from "../../../../../src/federation/sandbox/http-core.ts";
import type { TrafficOptions } from "../../../../../src/federation/sandbox/traffic.ts";
import { createStorageScene, OPERATOR, PROJECT, type StorageScene } from "../sandbox/storage/start.ts";

/** Cloud Storage and the issuer's front, with kubeassume's store in the same process. */
export interface GcsScene {
  readonly storage: StorageScene;
  readonly sandbox: Sandbox;
  readonly world: CloudWorld;
  /** By flags, as on the command line. */
  spec(flags: Readonly<Record<string, string | boolean>>, issuer?: string): GcsSpec;
  prepare(spec: GcsSpec, keys: readonly PublishedJwk[], prune?: boolean): Promise<PreparedPublish>;
  publish(spec: GcsSpec, keys: readonly PublishedJwk[], prune?: boolean): Promise<PublishOutcome>;
  /** Requests to Cloud Storage since the last call, as `METHOD path?query`. */
  asked(): readonly string[];
  /** Called once, right before the next request that is such a line; then forgotten. */
  before(line: RegExp, act: () => void): void;
  close(): Promise<void>;
}

export async function startGcs(traffic: TrafficOptions = {}): Promise<GcsScene> {
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-gcs-"));
  const storage = createStorageScene();
  let waiting: { readonly line: RegExp; readonly act: () => void } | null = null;
  const handler: Handler = (request) => {
    const { line, act } = waiting ?? {};
    if (line?.test(`${request.method} ${request.target}`) === true) {
      waiting = null;
      act?.();
    }
    return storage.handler(request);
  };
  const env: Record<string, string> = { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(dir, "token") };
  await writeFile(join(dir, "token"), OPERATOR, { mode: 0o600 });
  const gcp = {
    start: async (host: Parameters<Parameters<typeof startSandbox>[0]["clouds"][string]["start"]>[0]) => {
      const { url } = await host.serve({ service: "gcp.storage", handler });
      env["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"] = `${url}/storage/v1/`;
      return { env: {}, readPublished: async (bucket: string, object: string) => readPublished(bucket, object, storage.world), close: async () => undefined };
    },
  };
  const sandbox = await startSandbox({ clouds: { gcp }, dir, now: () => new Date(), ...traffic });
  const http = createHttp({ caPem: [sandbox.caPem], env: {}, timeoutMs: 5000 });
  const world: CloudWorld = { env, http, caPem: [sandbox.caPem], now: () => new Date(), signal: new AbortController().signal, timeoutMs: 5000, notify: () => undefined };
  const prepare: GcsScene["prepare"] = (spec, keys, prune = false) => {
    const sources = [{ name: "set", format: "jwks" as const, text: JSON.stringify({ keys }) }];
    return preparePublish({ definition: { name: "gcs", cloud: "gcp" }, store: gcsStore, spec }, world, async () => ({ sources, unreachable: [] }), prune);
  };
  let seen = 0;
  return {
    storage,
    sandbox,
    world,
    spec: (flags, issuer = sandbox.issuerUrl) => gcsStore.toSpec({ flags: { project: PROJECT, issuerUrl: issuer, ...flags }, entry: {}, config: null, cwd: dir, env }),
    prepare,
    publish: async (spec, keys, prune) => applyPublish(await prepare(spec, keys, prune), { http, wait: async () => undefined, resume: "kubeassume publish gcs" }),
    asked: () => {
      const fresh = sandbox.requests.slice(seen).filter(({ service }) => service === "gcp.storage");
      seen = sandbox.requests.length;
      return fresh.map(({ method, url }) => `${method} ${new URL(url).pathname}${new URL(url).search}`);
    },
    before: (line, act) => {
      waiting = { line, act };
    },
    close: async () => {
      await sandbox.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
