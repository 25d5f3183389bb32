import type { Http } from "../../../http/http.ts";
import type { GcpState } from "./state.ts";

/** What the services may use of the outside. */
export interface GcpWorld {
  readonly state: GcpState;
  readonly now: () => Date;
  /** Reads an issuer's documents over verified TLS. */
  readonly http: Http;
  /** Milliseconds until the token services know a new pool, provider, service account or policy. */
  readonly propagationMs: number;
  /** Milliseconds that a long-running operation takes; nothing of it is visible before. */
  readonly operationMs: number;
}
