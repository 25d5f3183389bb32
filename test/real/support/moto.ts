import { obtainComponent } from "./cache.ts";
import { call } from "./http.ts";
import { startServer } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";

export interface MotoOptions {
  /** For example `MOTO_IAM_LOAD_MANAGED_POLICIES: "true"`, for policies such as `AmazonS3ReadOnlyAccess`. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Moto extends ServerProcess {
  /** The endpoint of every service. */
  readonly url: string;
  /** The environment in which the AWS SDKs, the aws CLI and kubeassume talk to this server. */
  readonly env: Readonly<Record<string, string>>;
  /** Forgets everything: users, providers, roles and buckets. */
  reset(): Promise<void>;
  /** From now on, checks signatures and IAM policies (true), or lets everybody do everything (false, as it starts). */
  enforceAuthorization(enforced: boolean): Promise<void>;
}

/** moto's server: a stand-in for IAM, STS and S3 of account 123456789012. `moto.real.test.ts` says where it is not AWS. */
export async function startMoto(options: MotoOptions = {}): Promise<Moto> {
  const command = await obtainComponent("moto");
  const server = await startServer("moto", ({ port }) => ({
    command,
    args: ["-H", "127.0.0.1", "-p", String(port)],
    env: options.env ?? {},
    isReady: async () => (await call(`http://127.0.0.1:${port}/moto-api/data.json`)).status === 200,
  }));
  const url = `http://127.0.0.1:${server.port}`;
  const env = {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: "testing",
    AWS_SECRET_ACCESS_KEY: "moto-secret-access-key",
    AWS_REGION: "eu-west-1",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const control = async (path: string, text: string): Promise<void> => {
    const answer = await call(`${url}/moto-api/${path}`, { method: "POST", text });
    if (answer.status !== 200) throw new Error(`moto answered ${answer.status} to ${path}`);
  };
  return {
    ...server,
    url,
    env,
    reset: () => control("reset", ""),
    // The number of actions that are still free.
    enforceAuthorization: (enforced) => control("reset-auth", enforced ? "0" : "inf"),
  };
}
