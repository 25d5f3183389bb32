import { createHash } from "node:crypto";
import { KubeassumeError } from "../../../errors/error.ts";
import { isJsonObject, type JsonObject, member } from "../../../oidc/json.ts";
import type { Json } from "../../../plan/step.ts";
import { partitionOfRegion } from "../partition.ts";
import { codes } from "./codes.ts";
import { jsonItems, skipSpace } from "./json-text.ts";
import type { S3Spec } from "./spec.ts";

/** S3's limit for a bucket policy, in bytes (S3 user guide, bucket policies). */
export const MAX_POLICY_BYTES = 20_480;

/** A statement as it lies in a bucket policy. */
interface Statement {
  readonly text: string;
  readonly value: JsonObject;
}

/** The one statement of an issuer: everybody may read its two documents, and nothing else. */
export function publicStatement(spec: S3Spec): Readonly<Record<string, Json>> {
  const arn = (name: string) => `arn:${partitionOfRegion(spec.region)}:s3:::${spec.bucket}/${name}`;
  return {
    Sid: statementId(spec.issuer),
    Effect: "Allow",
    Principal: "*",
    Action: "s3:GetObject",
    Resource: [arn(spec.discovery.name), arn(spec.jwks.name)],
  };
}

/**
 * The statement's Sid: the same for the same issuer, another for every other; letters and digits only, as IAM wants.
 * When a teardown is cut short, the statement may be all that is left: it alone must say whose it is.
 */
export function statementId(issuer: string): string {
  return `Kubeassume${createHash("sha256").update(`s3:GetObject ${issuer}`).digest("hex").slice(0, 16)}`;
}

/** Whether a Sid is one that kubeassume makes, for any issuer. */
export function isStatementId(sid: unknown): boolean {
  return typeof sid === "string" && /^Kubeassume[0-9a-f]{16}$/.test(sid);
}

/** What planning needs to know of a bucket's policy. */
export interface PolicyFacts {
  /** Our statement in its plainest form, so that it can be compared; null when there is none. */
  readonly statement: Json;
  readonly others: number;
  /** Whether a statement that is not kubeassume's would let everybody in. */
  readonly othersArePublic: boolean;
  /** Bytes of the policy with our statement as it shall be. */
  readonly size: number;
}

/** @throws KubeassumeError BUCKET_POLICY_MALFORMED */
export function readPolicyFacts(text: string | null, spec: S3Spec): PolicyFacts {
  const statements = text === null ? [] : statementsOf(text);
  const sid = statementId(spec.issuer);
  const ours = statements.find(({ value }) => member(value, "Sid") === sid);
  const foreign = statements.filter(({ value }) => !isStatementId(member(value, "Sid")));
  return {
    statement: ours === undefined ? null : plainest(ours.value),
    others: statements.length - (ours === undefined ? 0 : 1),
    othersArePublic: foreign.some(({ value }) => letsEverybodyIn(value)),
    size: Buffer.byteLength(withStatement(text, publicStatement(spec))),
  };
}

/**
 * The policy with our statement in it, or in the place of its older form. Every other byte stays as it is.
 *
 * @throws KubeassumeError BUCKET_POLICY_MALFORMED
 */
export function withStatement(text: string | null, statement: Readonly<Record<string, Json>>): string {
  const ours = JSON.stringify(statement);
  if (text === null) return `{"Version":"2012-10-17","Statement":[${ours}]}`;
  const others = othersIn(text, statement["Sid"]);
  return replaceStatements(text, [...others, ours]);
}

/** The policy without the statement of that Sid; null when nothing is left. @throws KubeassumeError BUCKET_POLICY_MALFORMED */
export function withoutStatement(text: string, sid: string): string | null {
  const others = othersIn(text, sid);
  return others.length === 0 ? null : replaceStatements(text, others);
}

/** The object names that the statement of an issuer exposes, for finding its documents in a bucket. */
export function publishedNames(text: string, issuer: string, bucket: string): readonly string[] {
  const sid = statementId(issuer);
  const ours = statementsOf(text).filter(({ value }) => member(value, "Sid") === sid);
  const resources = ours.flatMap(({ value }) => listOf(member(value, "Resource")));
  const marker = `:s3:::${bucket}/`;
  return resources.filter((arn) => arn.includes(marker)).map((arn) => arn.slice(arn.indexOf(marker) + marker.length));
}

function othersIn(text: string, sid: Json | undefined): readonly string[] {
  return statementsOf(text).filter(({ value }) => member(value, "Sid") !== sid).map((statement) => statement.text);
}

function statementsOf(text: string): readonly Statement[] {
  const found = statementItem(text);
  const texts = found.text.startsWith("[") ? jsonItems(found.text, 0).map((item) => item.text) : [found.text];
  return texts.map((statement) => {
    const value = JSON.parse(statement) as unknown;
    if (!isJsonObject(value)) throw malformed("has a statement that is not an object");
    return { text: statement, value };
  });
}

function replaceStatements(text: string, statements: readonly string[]): string {
  const { text: old, start } = statementItem(text);
  return `${text.slice(0, start)}[${statements.join(",")}]${text.slice(start + old.length)}`;
}

function statementItem(text: string): { readonly text: string; readonly start: number } {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw malformed("is not JSON");
  }
  if (!isJsonObject(policy)) throw malformed("is not a JSON object");
  // The last one, as JSON.parse takes it.
  const item = jsonItems(text, skipSpace(text, 0)).findLast(({ key }) => key === "Statement");
  if (item === undefined || !/^[[{]/.test(item.text)) throw malformed("has no statements");
  return item;
}

/** S3 keeps a statement as it was written: `"*"` and `{"AWS":"*"}`, a string and a list of one mean the same. */
function plainest(statement: JsonObject): Json {
  const principal = member(statement, "Principal");
  const normal = {
    ...(statement as Readonly<Record<string, Json>>),
    Principal: isEverybody(principal) ? "*" : ((principal ?? null) as Json),
    Action: single(member(statement, "Action")),
    Resource: [...listOf(member(statement, "Resource"))].sort(),
  };
  return normal;
}

function letsEverybodyIn(statement: JsonObject): boolean {
  // A condition usually narrows it to a network, an account or a distribution.
  return member(statement, "Effect") === "Allow" && isEverybody(member(statement, "Principal")) && member(statement, "Condition") === undefined;
}

function isEverybody(principal: unknown): boolean {
  if (principal === "*") return true;
  return isJsonObject(principal) && listOf(member(principal, "AWS")).includes("*");
}

function single(value: unknown): Json {
  const list = listOf(value);
  return list.length === 1 ? (list[0] ?? null) : list;
}

function listOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((item): item is string => typeof item === "string");
}

function malformed(words: string): KubeassumeError {
  return new KubeassumeError(codes.BUCKET_POLICY_MALFORMED, { message: `the bucket policy ${words}` });
}
