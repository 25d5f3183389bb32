import { obtainComponent } from "./cache.ts";
import { call } from "./http.ts";
import { startServer } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";

export interface FakeGcsServer extends ServerProcess {
  /** The JSON API is below `/storage/v1/`, and objects are at `/BUCKET/OBJECT`. */
  readonly url: string;
  /** The environment in which Google's libraries and kubeassume use this server for Cloud Storage; it asks for no credentials. */
  readonly env: Readonly<Record<string, string>>;
}

/** A server that speaks Cloud Storage's JSON API and keeps its buckets in memory. It knows generations, but no policies. */
export async function startFakeGcsServer(): Promise<FakeGcsServer> {
  const command = await obtainComponent("fake-gcs-server");
  const server = await startServer("fake-gcs-server", ({ port }) => {
    const host = `127.0.0.1:${port}`;
    const args = ["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", String(port), "-public-host", host, "-external-url", `http://${host}`, "-log-level", "error"];
    return { command, args, isReady: async () => (await call(`http://${host}/_internal/healthcheck`)).status === 200 };
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { ...server, url, env: { STORAGE_EMULATOR_HOST: url } };
}
