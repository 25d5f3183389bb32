import { combineProblems } from "../federation/errors/codes.ts";
import { KubeassumeError } from "../federation/errors/error.ts";
import type { CodeDefinition, Problem } from "../federation/errors/error.ts";
import type { ChainFacts } from "../federation/oidc/read-issuer.ts";
import { sameAddress, toAddress } from "./address.ts";
import { readServedChain } from "./chain.ts";
import type { ChainOptions } from "./chain.ts";
import { codes } from "./codes.ts";
import type { ChainEntry } from "./fingerprint.ts";
import { judgeChain } from "./judge-chain.ts";
import type { ChainVerdict } from "./judge-chain.ts";
import { proxyFor } from "./proxy.ts";

export interface ReadChainOptions extends Omit<ChainOptions, "proxy"> {
  /** Decides which dates are warned about; whether a chain verifies goes by the machine's clock. */
  readonly now: Date;
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are looked up; by default no proxy is used. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * The TLS facts of an issuer whose `jwks_uri` is known: the JWKS host first, then the issuer's own host when it is another
 * one (IAM's CreateOpenIDConnectProvider asks for both), read side by side. `publiclyTrusted` is true when every host is;
 * `notAfter` is the earliest expiry within each chain.
 *
 * @throws KubeassumeError TLS_UNTRUSTED, TLS_NAME_MISMATCH, TLS_CERT_EXPIRED and the like when a chain does not verify
 *   (SEVERAL_PROBLEMS for more than one reason); TLS_UNREACHABLE, TLS_TIMEOUT, TLS_HANDSHAKE_FAILED, THUMBPRINT_URL_INVALID
 */
export async function readChainFacts(jwksUri: string, issuer: string, options: ReadChainOptions): Promise<ChainFacts> {
  const urls = sameAddress(toAddress(issuer), toAddress(jwksUri)) ? [jwksUri] : [jwksUri, issuer];
  const verdicts = await Promise.all(urls.map(async (url) => ({ host: new URL(url).host, verdict: await readVerdict(url, options) })));
  const failures = verdicts.flatMap(({ verdict }) => verdict.failures);
  if (failures.length > 0) throw combineProblems(failures.map(toRefusal));
  return {
    publiclyTrusted: verdicts.every(({ verdict }) => verdict.publiclyTrusted),
    thumbprints: verdicts.map(({ host, verdict }) => ({ host, thumbprint: verdict.thumbprint, notAfter: earliestExpiry(verdict.chain) })),
    warnings: verdicts.flatMap(({ verdict }) => verdict.warnings),
  };
}

/** Reads and judges the chain of one URL's host, through the proxy that the environment names for it. */
export async function readVerdict(url: string, options: ReadChainOptions): Promise<ChainVerdict> {
  const proxy = proxyFor(url, options.env ?? {});
  return judgeChain(await readServedChain(toAddress(url), { ...options, proxy }), options.now);
}

function toRefusal(problem: Problem): KubeassumeError {
  const definition = Object.values<CodeDefinition>(codes).find((row) => row.code === problem.code) ?? codes.TLS_UNTRUSTED;
  return new KubeassumeError(definition, problem);
}

/** ISO 8601 in UTC sorts as text. */
function earliestExpiry(chain: readonly ChainEntry[]): string {
  return chain.map((entry) => entry.notAfter).sort()[0] ?? "";
}
