import type { Check, CheckTable } from "../errors/checks.ts";
import type { CodeTable, KubeassumeError, Problem } from "../errors/error.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import type { Http } from "../http/http.ts";
import type { IssuerFacts } from "../oidc/read-issuer.ts";
import type { DesiredResource, ObservedResource } from "../plan/plan-resources.ts";
import type { Fields, Json, Step } from "../plan/step.ts";
import type { StandIns } from "../sandbox/stand-ins.ts";
import type { FlagValues, OptionDefinition } from "./options.ts";

/** How clouds differ where the spine must know: data, never a branch on a cloud's name. */
export interface Capabilities {
  /** Where the cloud takes the keys from. */
  readonly keySource: "discovery" | "upload" | "either";
  /** Whether one trust serves all service accounts of the issuer or each needs its own. */
  readonly trustGranularity: "issuer" | "subject";
  /** The TLS chain of the host that serves the JWKS matters. */
  readonly usesThumbprint: boolean;
  /** JWS algorithms that the cloud accepts. */
  readonly algorithms: readonly string[];
  /** Seconds until a new trust takes effect, as seen in practice. */
  readonly settleSeconds: number;
}

/** What every command of a cloud is made from: flags win over the config. */
export interface CloudInput {
  readonly flags: FlagValues;
  readonly config: LoadedConfig | null;
}

/** Everything a connection may use of the outside. */
export interface CloudWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly http: Http;
  /** Extra CA certificates (PEM) for the cloud's endpoints. */
  readonly caPem: readonly string[];
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Milliseconds that one remote call may take. */
  readonly timeoutMs: number;
  readonly notify: (message: string) => void;
}

/** The part of a cloud that every start of kubeassume loads: names, flags, and doors to the rest. No SDK. */
export interface Cloud {
  /** As in commands and config: `aws`. */
  readonly name: string;
  /** As people write it: `AWS`. */
  readonly title: string;
  readonly capabilities: Capabilities;
  readonly options: {
    readonly setup: readonly OptionDefinition[];
    readonly grant: readonly OptionDefinition[];
    readonly trustPolicy: readonly OptionDefinition[];
    readonly verify: readonly OptionDefinition[];
    /** What names the trust and the grants to check. */
    readonly status: readonly OptionDefinition[];
    readonly teardown: readonly OptionDefinition[];
    readonly permissions: readonly OptionDefinition[];
  };
  /** Flags (or members of `clouds.NAME`) without which nothing can be looked for: a teardown of all clouds passes over those that lack one. */
  readonly searchNeeds: readonly string[];
  /** The commands that `permissions --for` takes. */
  readonly permissionCommands: readonly string[];
  readonly examples: {
    readonly setup: readonly string[];
    readonly grant: readonly string[];
    readonly trustPolicy: readonly string[];
    readonly verify: readonly string[];
  };
  /** Codes and checks for `explain`. */
  documentation(): Promise<{ readonly codes: CodeTable; readonly checks: CheckTable }>;
  /** The pure part; loads no SDK. */
  load(): Promise<Provider>;
  /** Stand-ins for `sandbox` and `demo`. */
  loadStandIns(): Promise<StandIns>;
}

/** What `setup` shall bring about, resolved from flags and config. Clouds extend it with their own members. */
export interface SetupSpec {
  readonly issuer: string;
  /** As far as they are known without the caller; `Provider.audiences` completes them. */
  readonly audiences: readonly string[];
  readonly adopt: boolean;
  /** Whether the cloud reads the keys at the issuer, or gets them from us: then nobody needs to reach the issuer. */
  readonly keySource: "discovery" | "upload";
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** One identity that service accounts of the cluster may act as. */
export interface GrantSpec {
  readonly issuer: string;
  readonly serviceAccounts: readonly ServiceAccount[];
  readonly adopt: boolean;
}

/** Who the operator is for the cloud, found through the vendor's own chain. */
export interface Caller {
  /** For people: an ARN, an e-mail address, an object id. */
  readonly name: string;
  /** Account, project number, tenant or tenancy. */
  readonly account: string;
}

/** A trust text with what goes into the cluster. `trustPolicy` is the document in the cloud's own shape. */
export interface TrustTexts {
  readonly trustPolicy: Json;
  readonly manifests: readonly Manifest[];
  /** What the ServiceAccount's annotations say to a webhook. */
  readonly serviceAccountAnnotations: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** GCP's external_account document; null elsewhere. */
  readonly credentialConfig: Json | null;
  /** The same by hand: commands of the vendor's own CLI, in order; empty where nobody would type them. */
  readonly commands: readonly string[];
  readonly warnings: readonly Problem[];
}

export interface Manifest {
  /** What it is for, in a few words: `ServiceAccount`, `pod with a projected token`. */
  readonly title: string;
  /** Whether it can be applied as it stands; the others are snippets to copy from. */
  readonly applicable: boolean;
  readonly yaml: string;
}

/** Problems stop everything before the first write; warnings are shown. */
export interface Findings {
  readonly problems: readonly KubeassumeError[];
  readonly warnings: readonly Problem[];
}

export interface Desired extends Findings {
  readonly resources: readonly DesiredResource[];
}

/** What a cloud answers to a token. */
export interface Verdict {
  readonly accepted: boolean;
  /** The cloud's own error code and words; null when accepted. */
  readonly code: string | null;
  readonly cloudMessage: string | null;
  readonly session: Session | null;
  /** Never the signature. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly checks: readonly Check[];
}

export interface Session {
  readonly subject: string;
  readonly audience: string;
  readonly provider: string;
  readonly principal: string;
  readonly durationSeconds: number;
}

/** Where a token is to be judged, beside the trust records themselves. */
export interface JudgeInput {
  readonly token: string;
  /** As read: parsed JSON of any shape, judged as the cloud would; null when it could not be read, undefined when it is not to be judged. */
  readonly discovery: unknown;
  readonly jwks: unknown;
  /** The cloud's own records, in the shape that the contract gives `--trust-file`. */
  readonly trust: Readonly<Record<string, unknown>>;
  readonly flags: FlagValues;
  readonly at: Date;
}

/** A cloud without its network: reading input, wording, wanting, judging. Everything here is pure. */
export interface Provider<S extends SetupSpec = SetupSpec, G extends GrantSpec = GrantSpec> {
  /** Throws all problems of the input at once (combineProblems). */
  toSetupSpec(input: CloudInput): S;
  /** One spec per identity; several when the config names several grants. Throws all problems at once. */
  toGrantSpecs(input: CloudInput): readonly G[];
  /** What is wrong with the issuer's documents and chain for this cloud. */
  judgeIssuer(facts: IssuerFacts, spec: S, now: Date): Findings;
  desiredSetup(spec: S, facts: IssuerFacts, caller: Caller, observed: readonly ObservedResource[]): Desired;
  desiredGrants(specs: readonly G[], caller: Caller, observed: readonly ObservedResource[]): Desired;
  /** `provider`, `thumbprint` and next commands of the SetupResult. Asked again after applying where that answered something. */
  describeSetup(spec: S, facts: IssuerFacts, caller: Caller, observed: readonly ObservedResource[]): SetupDescription;
  /** Trust text and manifests of a grant for a known caller. */
  describeGrant(spec: G, caller: Caller, observed: readonly ObservedResource[]): TrustTexts & { readonly principal: string; readonly nextSteps: readonly string[] };
  /** `trust-policy`: offline, from flags alone. Throws all problems at once. */
  trustPolicy(input: CloudInput): TrustTexts;
  /** The least that the person running `command` needs, or for all commands. Throws USAGE for an unknown command. */
  permissions(command: string | undefined, input: CloudInput): Json;
  judge(input: JudgeInput): Verdict;
  /** Whom to become: as flags say, else whom the trust records are about; undefined when neither says. In the cloud's own words. */
  principalOf(trust: Readonly<Record<string, unknown>>, input: CloudInput): string | undefined;
  /** The audiences that tokens may carry, now that it is known who asks; the first is the one that they are minted for. */
  audiences(spec: S, caller: Caller): readonly string[];
  /** The one audience that a token for `verify` asks for; asks who the caller is only where it depends on that. */
  audienceOf(input: CloudInput, identify: () => Promise<Caller>): Promise<string>;
  /** Parses `--trust-file`. Throws TRUST_FILE_MALFORMED. */
  parseTrustFile(text: string): Readonly<Record<string, unknown>>;
  /** Checks of `status` from what was read; pure. */
  judgeStatus(input: StatusInput<S, G>): readonly Check[];
  /** Loads the SDK. Touches no network by itself. */
  connect(world: CloudWorld, input: CloudInput): Promise<Connection<S, G>>;
}

export interface SetupDescription {
  readonly provider: string;
  /** As registered, defaults resolved: some are known only with the caller. */
  readonly audiences: readonly string[];
  readonly thumbprint: string | null;
  readonly trustPolicy: Json;
  readonly nextSteps: readonly string[];
}

export interface StatusInput<S extends SetupSpec = SetupSpec, G extends GrantSpec = GrantSpec> {
  readonly spec: S;
  readonly grants: readonly G[];
  readonly facts: IssuerFacts | null;
  readonly caller: Caller;
  readonly observed: readonly ObservedResource[];
  /** Service-account tokens by `namespace/name`, minted or built; judged against each grant. */
  readonly tokens: ReadonlyMap<string, string>;
  /** The key set that `tokens` verify with: the issuer's own for minted tokens, a throw-away key's for built ones. */
  readonly tokenJwks: unknown;
  /** Whether `tokens` were minted by the cluster; the others stand for them and are signed with a throw-away key. */
  readonly minted: boolean;
  /** Every key that the cluster's API servers publish, as a key set; null when they were not asked or did not answer. */
  readonly clusterJwks: unknown;
  readonly now: Date;
}

/** Something that kubeassume made, found by its mark. */
export interface MarkedResource {
  readonly id: string;
  readonly kind: string;
  readonly target: string;
  readonly fields: Fields;
  readonly role: "grant" | "trust";
  readonly needs: readonly string[];
  /** Why it must stay although it is ours: it is then no step but listed as left behind. */
  readonly keep?: string;
  /** What deleting it does not do at once, in a few words. */
  readonly note?: string;
  /** What stays of something that is only partly ours: it is then updated instead of deleted. */
  readonly remains?: Fields;
  /** As in {@link Step}. */
  readonly series?: string;
}

/** A cloud with its network. Every method may throw KubeassumeError with this cloud's codes. */
export interface Connection<S extends SetupSpec = SetupSpec, G extends GrantSpec = GrantSpec> {
  /** Asked once, however often it is called. */
  identify(): Promise<Caller>;
  /** `caller` may still be under way: what does not depend on it is read beside it. */
  observeSetup(spec: S, caller: Caller | Promise<Caller>): Promise<readonly ObservedResource[]>;
  observeGrants(specs: readonly G[], caller: Caller | Promise<Caller>): Promise<readonly ObservedResource[]>;
  /** Everything with our mark and this issuer, for `teardown`. */
  findMarked(issuer: string, caller: Caller): Promise<readonly MarkedResource[]>;
  /** Performs one step of this cloud; safe to repeat. Answers what the cloud assigned and a description needs: an id. */
  perform(step: Step): Promise<Fields | void>;
  /** The cloud's own records for `verify`, in the shape of `--trust-file`. */
  readTrust(input: CloudInput, issuer: string, caller: Caller): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Asks the real token service for a session of `principal` (as `describeGrant` names it), or of whom flags and config
   * name. Never returns or logs a credential.
   */
  exchange(token: string, input: CloudInput, principal?: string): Promise<ExchangeAnswer>;
}

export interface ExchangeAnswer {
  readonly accepted: boolean;
  readonly code: string | null;
  readonly cloudMessage: string | null;
  /** Who the session is, as the cloud names it; null when refused. */
  readonly principal: string | null;
}
