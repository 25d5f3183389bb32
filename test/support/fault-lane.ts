import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { createHttp } from "../../src/federation/http/create-http.ts";
import type { ClusterObject, FaultCloud } from "./fault-cloud.ts";
import type { Ran } from "./kubeassume.ts";
import { runHere } from "./run-here.ts";
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

/** Brings the cloud's state back. The cluster is not in it: it always goes back to its beginning. */
export type Saved = () => void;

export async function startLane(cloud: FaultCloud): Promise<Lane> {
  const scene = await startScene(cloud.scene);
  for (const [name, content] of Object.entries(cloud.files)) await scene.file(name, content);
  const port = Number(new URL(scene.issuer).port);
  let onConnection: Parameters<Lane["onConnection"]>[0] = null;
  // Node's own: every connection to a server of this thread.
  channel("net.server.socket").subscribe((message) => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === port) onConnection?.(socket);
  });
  return {
    scene,
    run: (args, signal = new AbortController().signal) => runHere(scene, args, { signal }),
    save: () => cloud.save(scene),
    onConnection: (handler) => {
      onConnection = handler;
    },
    restore: async (saved) => {
      scene.breakWith(null);
      saved();
      await removeObjects(scene, cloud.objects);
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

async function removeObjects({ sandbox }: Scene, objects: readonly ClusterObject[]): Promise<void> {
  const present = objects.filter(({ plural, namespace, name }) => sandbox.cluster.find(plural, namespace, name) !== null);
  if (present.length === 0) return;
  const http = createHttp({ caPem: [sandbox.caPem], env: {}, timeoutMs: 10_000 });
  const headers = { authorization: `Bearer ${sandbox.cluster.adminToken}` };
  for (const { plural, namespace, name } of present) {
    const { status } = await http({ method: "DELETE", url: `${sandbox.cluster.url}/api/v1/namespaces/${namespace}/${plural}/${name}`, headers });
    if (status !== 200) throw new Error(`the sandbox answers ${status} when ${plural} ${namespace}/${name} shall go`);
  }
}
