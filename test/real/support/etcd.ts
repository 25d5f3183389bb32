import { obtainComponent } from "./cache.ts";
import { call } from "./http.ts";
import { findFreePort, startServer } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";

export interface Etcd extends ServerProcess {
  /** The address for clients, plain HTTP. */
  readonly url: string;
}

/** An etcd of one member that does not wait for the disk. Several API servers can share it under prefixes of their own. */
export async function startEtcd(): Promise<Etcd> {
  const command = await obtainComponent("etcd");
  const server = await startServer("etcd", async ({ port, directory }) => {
    const client = `http://127.0.0.1:${port}`;
    const peer = `http://127.0.0.1:${await findFreePort()}`;
    const args = [
      `--data-dir=${directory}/data`,
      "--unsafe-no-fsync",
      "--log-level=warn",
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ];
    return { command, args, isReady: async () => (await call(`${client}/readyz`)).status === 200 };
  });
  return { ...server, url: `http://127.0.0.1:${server.port}` };
}
