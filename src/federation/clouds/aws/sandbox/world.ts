import type { Http } from "../../../http/http.ts";
import type { AwsState } from "./state.ts";

/** What the services may use of the outside. */
export interface AwsWorld {
  readonly state: AwsState;
  readonly now: () => Date;
  /** Where the operator works, for calls that say nothing else. */
  readonly region: string;
  /** Reads an issuer's documents over verified TLS. */
  readonly http: Http;
  /** CAs that count among those that AWS trusts, beside the public ones. */
  readonly publicCaPem: readonly string[];
  /** Milliseconds until STS knows a new provider or role. */
  readonly propagationMs: number;
}
