import { resolve } from "node:path";
import type { Cloud, CloudInput, Connection, ExchangeAnswer, Provider, Verdict } from "../../federation/clouds/cloud.ts";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError, type Problem, warning } from "../../federation/errors/error.ts";
import { checkIssuerUrl, discoveryUrl } from "../../federation/oidc/issuer.ts";
import { parseJwt } from "../../federation/oidc/jwt.ts";
import { readDocument } from "../../federation/oidc/read-issuer.ts";
import { parseServiceAccountName } from "../../federation/oidc/subject.ts";
import { renderChecks } from "../../federation/report/render-checks.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { readTextFile } from "../edge/context.ts";
import { styleFor, wantsColor } from "../edge/ui.ts";

/** Gathers what was not given, judges, and (with --exchange) compares with the real token service. */
export async function runVerify(cloud: Cloud, context: CommandContext): Promise<CommandResult> {
  const time = parseTime(context);
  refuseConflicts(context);
  const provider = await cloud.load();
  const given = { flags: context.flags, config: await context.config() };
  const token = await readToken(provider, given, onceConnection(provider, given, context), context);
  // Read after minting: a token must not seem to come from the future.
  const at = time ?? context.world.now();
  const issuer = issuerOf(token);
  const input = withIssuer(given, issuer);
  const connect = onceConnection(provider, input, context);
  const documents = readDocuments(issuer, context);
  const trust = readTrust(provider, issuer, input, connect, context);
  const [{ discovery, jwks }, records] = await Promise.all([documents, trust]);
  const verdict = provider.judge({ token, discovery, jwks, trust: records, flags: context.flags, at });
  const exchanged = context.flags["exchange"] === true ? await (await connect()).exchange(token, input, provider.principalOf(records, input)) : null;
  return toResult(cloud, verdict, exchanged, context);
}

function parseTime(context: CommandContext): Date | null {
  const given = context.flags["at"];
  if (typeof given !== "string") return null;
  const time = /^\d{1,12}$/.test(given) ? new Date(Number(given) * 1000) : RFC3339.test(given) && isDate(given.slice(0, 10)) ? new Date(given) : new Date(Number.NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new KubeassumeError(codes.FLAG_INVALID, { message: `--at is ${JSON.stringify(given)}`, hint: "give RFC 3339, as 2026-01-31T12:00:00Z, or epoch seconds" });
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Whether the calendar has such a day: 31 February would become a day in March. */
function isDate(day: string): boolean {
  const time = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}

function refuseConflicts(context: CommandContext): void {
  const { tokenFile, serviceAccount } = context.flags;
  if (tokenFile !== undefined && serviceAccount !== undefined) {
    throw new KubeassumeError(codes.FLAGS_CONFLICT, { message: "--token-file and --service-account both name a token", hint: "give one of them" });
  }
  if (tokenFile === undefined && serviceAccount === undefined) {
    throw new KubeassumeError(codes.FLAG_MISSING, { message: "there is no token to judge", hint: "give --token-file FILE, --token-file - for standard input, or --service-account NS/NAME to mint one" });
  }
}

const TOKEN_SECONDS = 600;

async function readToken(provider: Provider, input: CloudInput, connect: () => Promise<Connection>, context: CommandContext): Promise<string> {
  const { tokenFile, serviceAccount } = context.flags;
  if (typeof serviceAccount === "string") {
    const account = parseServiceAccountName(serviceAccount);
    const cluster = await context.cluster();
    const audience = await provider.audienceOf(input, async () => (await connect()).identify());
    return cluster.mintToken(account, audience, TOKEN_SECONDS);
  }
  if (tokenFile === "-") return (await context.world.stdin.readAll()).trim();
  return (await readTextFile(resolve(context.world.cwd, String(tokenFile)), "the token file")).trim();
}

/** Null for a token that cannot be read or names no issuer: the judge refuses it in the cloud's words. */
function issuerOf(token: string): string | null {
  try {
    const issuer = parseJwt(token).claims["iss"];
    return typeof issuer === "string" ? issuer : null;
  } catch (error) {
    if (error instanceof KubeassumeError) return null;
    throw error;
  }
}

/** Where neither flag nor config names an issuer, the token's own says whose grants are meant. */
function withIssuer(input: CloudInput, issuer: string | null): CloudInput {
  const named = input.flags["issuerUrl"] ?? input.config?.issuer;
  if (named !== undefined || issuer === null || checkIssuerUrl(issuer).problems.length > 0) return input;
  return { ...input, flags: { ...input.flags, issuerUrl: issuer } };
}

interface Documents {
  readonly discovery: unknown;
  readonly jwks: unknown;
}

/** Documents from files, or from the issuer that the token names; null for one that cannot be read: the judge says so. */
async function readDocuments(issuer: string | null, context: CommandContext): Promise<Documents> {
  const discoveryFile = await readJsonFile(context, "discoveryFile", "the discovery file");
  const jwksFile = await readJsonFile(context, "jwksFile", "the JWKS file");
  if (jwksFile !== undefined) return { discovery: discoveryFile, jwks: jwksFile };
  if (issuer === null || !URL.canParse(issuer)) return { discovery: discoveryFile ?? null, jwks: null };
  context.ui.progress(`reading ${issuer}`);
  const discovery = discoveryFile === undefined ? await readOrNote(discoveryUrl(issuer), context) : discoveryFile;
  const uri = (discovery as { readonly jwks_uri?: unknown } | null)?.jwks_uri;
  return { discovery, jwks: typeof uri === "string" && URL.canParse(uri) ? await readOrNote(uri, context) : null };
}

async function readOrNote(url: string, context: CommandContext): Promise<unknown> {
  try {
    return (await readDocument(await context.http(), url)).json;
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    context.ui.note(`${error.message} (${error.code})`);
    return null;
  }
}

async function readJsonFile(context: CommandContext, flag: string, what: string): Promise<unknown> {
  const given = context.flags[flag];
  if (typeof given !== "string") return undefined;
  const text = await readTextFile(resolve(context.world.cwd, given), what);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new KubeassumeError(codes.FLAG_INVALID, { message: `${what} ${given} is not JSON`, hint: "give the document itself", details: { file: given }, cause });
  }
}

function onceConnection(provider: Provider, input: CloudInput, context: CommandContext): () => Promise<Connection> {
  let connection: Promise<Connection> | undefined;
  return () => (connection ??= context.cloudWorld().then((world) => provider.connect(world, input)));
}

async function readTrust(provider: Provider, issuer: string | null, input: CloudInput, connect: () => Promise<Connection>, context: CommandContext) {
  const given = context.flags["trustFile"];
  if (typeof given === "string") return provider.parseTrustFile(await readTextFile(resolve(context.world.cwd, given), "the trust file"));
  // A token without an issuer is refused whatever the cloud has: nothing is worth reading for it.
  if (issuer === null) return {};
  const connection = await connect();
  return connection.readTrust(input, issuer, await connection.identify());
}

function toResult(cloud: Cloud, verdict: Verdict, exchanged: ExchangeAnswer | null, context: CommandContext): CommandResult {
  const { accepted, code, cloudMessage, session, claims, checks } = verdict;
  const color = context.world.stdout.isTTY && wantsColor(context.world, context.flags["color"] === false);
  const words = accepted ? `accepted: ${session?.principal ?? ""}` : `refused: ${code ?? ""} ${cloudMessage ?? ""}`;
  const answered = exchanged === null ? "" : `${cloud.title} answers: ${exchanged.accepted ? `accepted, ${exchanged.principal ?? ""}` : `${exchanged.code ?? ""} ${exchanged.cloudMessage ?? ""}`}\n`;
  const data = { cloud: cloud.name, accepted, code, cloudMessage, session, claims, checks, exchange: exchanged };
  const text = `${renderChecks(checks, styleFor(color))}${words}\n${answered}`;
  const warnings = disagreement(cloud, verdict, exchanged);
  const refused = !accepted || exchanged?.accepted === false;
  return { data, warnings, text, ...(refused ? { error: refusal(cloud, verdict, exchanged) } : {}) };
}

function disagreement(cloud: Cloud, verdict: Verdict, exchanged: ExchangeAnswer | null): readonly Problem[] {
  if (exchanged === null || (exchanged.accepted === verdict.accepted && (exchanged.code === verdict.code || exchanged.accepted))) return [];
  const message = `the judge says ${verdict.code ?? "accepted"}, ${cloud.title} says ${exchanged.code ?? "accepted"}`;
  return [warning(codes.VERDICTS_DIFFER, { message, details: { judge: verdict.code, cloud: exchanged.code } })];
}

function refusal(cloud: Cloud, verdict: Verdict, exchanged: ExchangeAnswer | null): KubeassumeError {
  const ruling = verdict.checks.find((check) => check.status === "fail");
  const message = verdict.accepted ? `${cloud.title} refuses the token: ${exchanged?.code ?? ""}` : `${cloud.title} would refuse the token: ${verdict.code ?? ""}`;
  const details = { code: verdict.code ?? exchanged?.code ?? null, check: ruling?.id ?? null };
  return new KubeassumeError(codes.TOKEN_REFUSED, { message, ...(ruling === undefined ? {} : { hint: ruling.hint }), details });
}
