import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { obtainComponent } from "./cache.ts";
import { call } from "./http.ts";
import { startServer } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";

export interface VersityGw extends ServerProcess {
  /** The S3 endpoint; buckets are addressed by path. */
  readonly url: string;
  readonly region: string;
  /** Of the root account, which owns what it creates. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The environment in which the AWS SDKs, the aws CLI and kubeassume use this server for S3. */
  readonly env: Readonly<Record<string, string>>;
}

/** A real S3 server that keeps its buckets in a folder and their metadata beside them, so that any file system will do. */
export async function startVersityGw(): Promise<VersityGw> {
  const command = await obtainComponent("versitygw");
  // versitygw's accounts are their access keys: so named, its buckets belong to the account that moto's STS speaks of.
  const credentials = { accessKeyId: "123456789012", secretAccessKey: "versitygw-secret" };
  const region = "eu-west-1";
  const server = await startServer("versitygw", async ({ port, directory }) => {
    const [buckets, metadata] = [join(directory, "buckets"), join(directory, "metadata")];
    await Promise.all([mkdir(buckets), mkdir(metadata)]);
    return {
      command,
      args: ["--port", `127.0.0.1:${port}`, "--region", region, "--health", "/health", "posix", "--sidecar", metadata, buckets],
      env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
      isReady: async () => (await call(`http://127.0.0.1:${port}/health`)).status === 200,
    };
  });
  const url = `http://127.0.0.1:${server.port}`;
  const env = {
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
  };
  return { ...server, url, region, credentials, env };
}
