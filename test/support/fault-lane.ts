import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { run } from "../../src/commands/run.ts";
import type { World } from "../../src/commands/world.ts";
import type { AwsState } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { createHttp } from "../../src/federation/http/create-http.ts";
import type { Ran } from "./kubeassume.ts";
import { type Scene, startScene } from "./scene.ts";

/** A scene of its own that goes back to any of its earlier states, and kubeassume run in this process against it. */
export interface Lane {
  readonly scene: Scene;
  /** The command in this process: the same as a process of its own, without its start. */
  run(args: readonly string[], signal?: AbortSignal): Promise<Pick<Ran, "exit" | "stdout" | "stderr">>;
  save(): Saved;
  restore(saved: Saved): Promise<void>;
  /** Told of each connection to the issuer: reading its TLS chain is one without any request. */
  onConnection(handler: ((socket: Socket) => void) | null): void;
  /** Resolves when no request is being served any more: what a process that was killed had sent has arrived. */
  settle(): Promise<void>;
}

/** The account. The cluster is not in it: it always goes back to its beginning. */
export type Saved = Pick<AwsState, "providers" | "roles" | "buckets">;

/** What the commands may make in the cluster. */
const OBJECTS = [
  ["serviceaccounts", "demo", "app"],
  ["configmaps", "demo", "aws-trust"],
] as const;

export async function startLane(): Promise<Lane> {
  const scene = await startScene();
  const port = Number(new URL(scene.issuer).port);
  let onConnection: Parameters<Lane["onConnection"]>[0] = null;
  // Node's own: every connection to a server of this thread.
  channel("net.server.socket").subscribe((message) => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === port) onConnection?.(socket);
  });
  return {
    scene,
    run: (args, signal = new AbortController().signal) => runHere(scene, args, signal),
    save: () => copy(scene.aws.state),
    onConnection: (handler) => {
      onConnection = handler;
    },
    restore: async (saved) => {
      scene.breakWith(null);
      const { state } = scene.aws;
      const { providers, roles, buckets } = copy(saved);
      refill(state.providers, providers);
      refill(state.roles, roles);
      refill(state.buckets, buckets);
      await removeObjects(scene);
      scene.forget();
    },
    settle: async () => {
      // Two turns: a request whose bytes lie in the socket is seen in the next one.
      for (let quiet = 0; quiet < 2; ) {
        await turn();
        quiet = scene.sandbox.requests.some(({ endedAt }) => endedAt === null) ? 0 : quiet + 1;
      }
    },
  };
}

async function runHere(scene: Scene, args: readonly string[], signal: AbortSignal): Promise<Pick<Ran, "exit" | "stdout" | "stderr">> {
  const [out, errors]: [string[], string[]] = [[], []];
  const world: World = {
    argv: args,
    env: { HOME: scene.dir, NO_PROXY: "127.0.0.1", ...scene.env },
    cwd: scene.dir,
    stdout: { write: (text) => void out.push(text), isTTY: false, columns: 80 },
    stderr: { write: (text) => void errors.push(text), isTTY: false, columns: 80 },
    stdin: { isTTY: false, readAll: async () => "", readLine: async () => null },
    now: () => new Date(),
    signal,
  };
  const exit = await run(world, "0.0.0");
  return { exit, stdout: out.join(""), stderr: errors.join("") };
}

/** Objects of a bucket are never changed in place; everything else is. */
function copy({ providers, roles, buckets }: Saved): Saved {
  const each = <T>(map: ReadonlyMap<string, T>, one: (value: T) => T): Map<string, T> => new Map([...map].map(([key, value]) => [key, one(value)]));
  return {
    providers: each(providers, (provider) => structuredClone(provider)),
    roles: each(roles, (role) => structuredClone(role)),
    buckets: each(buckets, (bucket) => ({ ...bucket, tags: [...bucket.tags], objects: new Map(bucket.objects) })),
  };
}

function refill<T>(map: Map<string, T>, content: ReadonlyMap<string, T>): void {
  map.clear();
  for (const [key, value] of content) map.set(key, value);
}

async function removeObjects({ sandbox }: Scene): Promise<void> {
  const present = OBJECTS.filter(([plural, namespace, name]) => sandbox.cluster.find(plural, namespace, name) !== null);
  if (present.length === 0) return;
  const http = createHttp({ caPem: [sandbox.caPem], env: {}, timeoutMs: 10_000 });
  const headers = { authorization: `Bearer ${sandbox.cluster.adminToken}` };
  for (const [plural, namespace, name] of present) {
    const { status } = await http({ method: "DELETE", url: `${sandbox.cluster.url}/api/v1/namespaces/${namespace}/${plural}/${name}`, headers });
    if (status !== 200) throw new Error(`the sandbox answers ${status} when ${plural} ${namespace}/${name} shall go`);
  }
}
