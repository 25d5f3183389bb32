import type { StandInRequest } from "../../../../sandbox/http-core.ts";
import type { StorageState } from "./state.ts";

/** What the stand-in for Cloud Storage may use of the outside. */
export interface StorageWorld {
  readonly now: () => Date;
  /** The project's ID. */
  readonly project: string;
  readonly projectNumber: string;
  readonly storage: StorageState;
  /**
   * Whether the bearer of the request has a permission through the project's policy. A bucket's own policy is asked
   * afterwards, by the stand-in itself.
   *
   * @param permission such as `storage.objects.get`
   * @param resource `projects/ID`, `projects/_/buckets/BUCKET` or `projects/_/buckets/BUCKET/objects/OBJECT`
   */
  authorize(request: StandInRequest, permission: string, resource: string): Authorization;
}

/** Who bears a token. */
export interface StorageCaller {
  /** For messages, as Google writes it: an e-mail address, or `principal://...`. */
  readonly name: string;
  /** Every member of a policy that stands for the caller: `user:...`, `serviceAccount:...`, `principal://...`, `principalSet://...`. */
  readonly members: readonly string[];
}

export type Authorization =
  | { readonly outcome: "allowed"; readonly caller: StorageCaller }
  /** `caller` is null for a request without credentials. */
  | { readonly outcome: "denied"; readonly caller: StorageCaller | null }
  /** The token is unknown or expired. */
  | { readonly outcome: "invalid" };
