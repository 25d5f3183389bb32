import type { DemoScript } from "./demo-script.ts";
import type { Http } from "../http/http.ts";
import type { Handler, RunningServer } from "./http-core.ts";

/** What the sandbox gives a cloud's stand-ins. */
export interface SandboxHost {
  /** The sandbox's own folder: configuration that a vendor's CLI writes belongs below it. */
  readonly dir: string;
  /** PEM of the sandbox's root CA. */
  readonly caPem: string;
  /** The sandbox CA together with the public roots, for programs that take one file instead of all others. */
  readonly caBundleFile: string;
  readonly now: () => Date;
  /** Reads issuer documents as the cloud would, trusting only the public roots and the sandbox's CA. */
  readonly http: Http;
  /** The issuer of the sandbox's cluster: `https://127.0.0.1:PORT/oidc`, published by a bucket named `oidc`. */
  readonly issuerUrl: string;
  /** A server certificate of the sandbox's CA for these names. */
  issueServer(names: readonly string[]): Promise<{ readonly chainPem: string; readonly keyPem: string }>;
  /**
   * Starts a server on 127.0.0.1 and a free port that logs its requests under `service` (`aws.iam`) and takes part
   * in the sandbox's latency and faults. The sandbox closes it. With `tls`, under a certificate for 127.0.0.1,
   * localhost and `names`.
   */
  serve(options: StandInServer): Promise<RunningServer>;
}

export interface StandInServer {
  readonly service: string;
  readonly handler: Handler;
  readonly tls?: boolean;
  readonly names?: readonly string[];
}

export interface RunningStandIns {
  /**
   * What the vendor's CLI and SDK must find in the environment. It is printed, so secrets do not belong here: write
   * them into a file of mode 0600 below `dir`, and name that file.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Variables of the operator's own environment that would win over `env`, such as credentials: they are taken out. */
  readonly unset?: readonly string[];
  /**
   * Answers an anonymous GET or HEAD of a published document by bucket and object name, as the store would;
   * the sandbox's TLS issuer stands in front of it. Null when the cloud has no such bucket.
   */
  readPublished(bucket: string, object: string): Promise<PublishedAnswer | null>;
  close(): Promise<void>;
}

export interface PublishedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The embedded stand-ins of one cloud: control plane, store and token service on 127.0.0.1 and free ports. */
export interface StandIns {
  /** The cloud's journey for `demo`, against these stand-ins. */
  readonly demo: DemoScript;
  start(host: SandboxHost): Promise<RunningStandIns>;
}
