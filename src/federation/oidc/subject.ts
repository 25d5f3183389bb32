import { codes } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";

/** A Kubernetes service account. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

const SUBJECT_PREFIX = "system:serviceaccount:";
const LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/**
 * Reads `NAMESPACE/NAME` and validates both as Kubernetes does: the namespace is a DNS label of at most 63
 * characters (RFC 1123), the name a DNS subdomain of at most 253.
 *
 * @throws KubeassumeError SERVICE_ACCOUNT_INVALID
 */
export function parseServiceAccountName(text: string): ServiceAccountName {
  const fromSubject = parseSubject(text);
  if (fromSubject !== null) {
    throw invalid(text, "is a subject", `write it as ${fromSubject.namespace}/${fromSubject.name}`);
  }
  const [namespace, name, ...rest] = text.split("/");
  if (namespace === undefined || name === undefined || rest.length > 0) throw invalid(text, "is not NAMESPACE/NAME");
  const problem = namespaceProblem(namespace) ?? nameProblem(name);
  if (problem !== null) throw invalid(text, problem);
  return { namespace, name };
}

/** The `sub` claim of the account's tokens: `system:serviceaccount:NAMESPACE:NAME` (kubernetes/pkg/serviceaccount). */
export function subjectOf(account: ServiceAccountName): string {
  return `${SUBJECT_PREFIX}${account.namespace}:${account.name}`;
}

/** The service account that a `sub` claim names; null when it names none that Kubernetes would accept. */
export function parseSubject(subject: string): ServiceAccountName | null {
  if (!subject.startsWith(SUBJECT_PREFIX)) return null;
  const [namespace, name, ...rest] = subject.slice(SUBJECT_PREFIX.length).split(":");
  if (namespace === undefined || name === undefined || rest.length > 0) return null;
  return namespaceProblem(namespace) === null && nameProblem(name) === null ? { namespace, name } : null;
}

function namespaceProblem(namespace: string): string | null {
  if (namespace === "") return "has no namespace";
  if (namespace.length > 63) return `has a namespace of ${namespace.length} characters, more than 63`;
  return DNS_LABEL.test(namespace) ? null : `has a namespace that Kubernetes refuses, ${JSON.stringify(namespace)}`;
}

function nameProblem(name: string): string | null {
  if (name === "") return "has no name";
  if (name.length > 253) return `has a name of ${name.length} characters, more than 253`;
  return DNS_SUBDOMAIN.test(name) ? null : `has a name that Kubernetes refuses, ${JSON.stringify(name)}`;
}

function invalid(text: string, problem: string, hint?: string): KubeassumeError {
  const shown = text.length > 400 ? `${text.slice(0, 400)}...` : text;
  return new KubeassumeError(codes.SERVICE_ACCOUNT_INVALID, {
    message: `service account ${JSON.stringify(shown)} ${problem}`,
    ...(hint === undefined ? {} : { hint }),
  });
}
