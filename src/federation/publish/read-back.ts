import { codes } from "../errors/codes.ts";
import { KubeassumeError, type Problem } from "../errors/error.ts";
import type { Http } from "../http/http.ts";
import { discoveryUrl, jwksUrl } from "../oidc/issuer.ts";
import { type Document, readDocument } from "../oidc/read-issuer.ts";
import { codes as publishCodes } from "./codes.ts";
import { type ExpectedServing, judgeServedDiscovery, judgeServedHeaders, judgeServedKeys } from "./judge-served.ts";

/** Resolves after so many milliseconds; rejects when the run is interrupted. */
export type Wait = (milliseconds: number) => Promise<void>;

export interface ReadBack {
  /** Null when both documents are served as they were published. */
  readonly problem: KubeassumeError | null;
  readonly warnings: readonly Problem[];
}

/** Pauses between the tries: policies and caches need some seconds to follow. 7.75 s together. */
const READ_BACK_PAUSES_MS: readonly number[] = [250, 500, 1000, 2000, 4000];
const LONG_PAUSE_MS = 5000;

/** Pauses that last at least `settleMs` together; by default 7.75 s. */
export function readBackPauses(settleMs = 0): readonly number[] {
  const usual = READ_BACK_PAUSES_MS.reduce((sum, pause) => sum + pause, 0);
  const more = Math.max(0, Math.ceil((settleMs - usual) / LONG_PAUSE_MS));
  return [...READ_BACK_PAUSES_MS, ...Array.from({ length: more }, () => LONG_PAUSE_MS)];
}

/**
 * Reads both documents through the issuer URL as a stranger and compares them with what was published. Repeats while
 * the answer may still be an old one; never throws for what a relying party would stumble over.
 *
 * @param pauses milliseconds between the tries; empty for a single try
 */
export async function readBack(http: Http, expected: ExpectedServing, pauses: readonly number[], wait: Wait): Promise<ReadBack> {
  let result = await readOnce(http, expected);
  for (const pause of pauses) {
    if (result.problem === null || !mayPass(result.problem)) break;
    await wait(pause);
    result = await readOnce(http, expected);
  }
  return result;
}

async function readOnce(http: Http, expected: ExpectedServing): Promise<ReadBack> {
  const read = (url: string, judge: (served: Document, expected: ExpectedServing) => string | null) => readOne(http, url, (served) => judge(served, expected));
  const both = await Promise.all([
    read(discoveryUrl(expected.issuer), judgeServedDiscovery),
    read(jwksUrl(expected.issuer), judgeServedKeys),
  ]);
  const problem = both.find((one) => one.problem !== null)?.problem ?? null;
  return { problem, warnings: both.flatMap((one) => one.warnings) };
}

async function readOne(http: Http, url: string, judge: (served: Document) => string | null): Promise<ReadBack> {
  try {
    const served = await readDocument(http, url);
    const words = judge(served);
    const problem = words === null ? null : new KubeassumeError(publishCodes.READ_BACK_FAILED, { message: words, details: { url, reason: "differs" } });
    return { problem, warnings: judgeServedHeaders(served) };
  } catch (cause) {
    if (!(cause instanceof KubeassumeError)) throw cause;
    return { problem: toFailure(cause, url), warnings: [] };
  }
}

function toFailure(cause: KubeassumeError, url: string): KubeassumeError {
  const { code, message, hint, details } = cause;
  return new KubeassumeError(publishCodes.READ_BACK_FAILED, {
    message: `${message}: relying parties would fail in the same way`,
    hint: `the documents are written; ${hint}, then run the same command again`,
    details: { url, problem: code, ...details },
    cause,
  });
}

/** Certificates and redirects do not mend themselves; S3's 307 for a new bucket does. */
function mayPass(problem: KubeassumeError): boolean {
  if (problem.details["reason"] === "tls" || problem.details["reason"] === "aborted") return false;
  return problem.details["problem"] !== codes.ISSUER_REDIRECTS.code || problem.message.includes("(status 307)");
}
