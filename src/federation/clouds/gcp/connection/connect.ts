import type { Caller, CloudInput, CloudWorld, Connection } from "../../cloud.ts";
import type { Step } from "../../../plan/step.ts";
import { KIND } from "../ids.ts";
import type { GcpGrantSpec } from "../input/grant-spec.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { exchange } from "./exchange.ts";
import { identify } from "./identify.ts";
import { findMarked } from "./marked.ts";
import { observeGrants } from "./observe-grants.ts";
import { observeSetup } from "./observe-setup.ts";
import { performPolicy, performServiceAccount } from "./perform-grants.ts";
import { performTrust } from "./perform-trust.ts";
import { readTrust } from "./read-trust.ts";
import { createSession, type Session } from "./session.ts";

export type GcpConnection = Connection<GcpSetupSpec, GcpGrantSpec>;

/**
 * IAM, Resource Manager, STS, IAM credentials and Storage with the caller's credentials. Reads the credential file, and
 * touches no network. Throws FLAG_INVALID for endpoints that are none.
 */
export async function connect(world: CloudWorld, input: CloudInput): Promise<GcpConnection> {
  const session = await createSession(world);
  let caller: Promise<Caller> | undefined;
  const identified = () => (caller ??= identify(session, input));
  return {
    identify: identified,
    observeSetup: (spec, who) => observeSetup(session, spec, who),
    observeGrants: (specs, who) => observeGrants(session, specs, who),
    findMarked: (issuer, who) => findMarked(session, input, issuer, who),
    perform: (step) => perform(session, step),
    readTrust: (trustInput, issuer, who) => readTrust(session, trustInput, issuer, who),
    exchange: (token, exchangeInput, principal) => exchange(session, token, { ...exchangeInput, config: exchangeInput.config ?? input.config }, identified, principal),
  };
}

async function perform(session: Session, step: Step): Promise<void> {
  switch (step.kind) {
    case KIND.pool:
    case KIND.provider:
      return performTrust(session, step);
    case KIND.serviceAccount:
      return performServiceAccount(session, step);
    case KIND.policy:
      return performPolicy(session, step);
    default:
      throw new TypeError(`GCP has no steps of kind ${step.kind}`);
  }
}
