import { chmod, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hasProgram } from "../test/support/programs.ts";
import { type Scene, startScene } from "../test/support/scene.ts";
import { mediansOf } from "./measure.ts";
import { against, type Row } from "./row.ts";

/** What a person types for AWS without kubeassume: look at the documents, take the thumbprint, register the provider, look at it. */
const BY_HAND = `set -euo pipefail
host=$(printf %s "$KUBEASSUME_ISSUER_URL" | sed -E 's#^https://([^/]+).*#\\1#')
curl -sf --cacert "$KUBEASSUME_CA_FILE" "$KUBEASSUME_ISSUER_URL/.well-known/openid-configuration"
curl -sf --cacert "$KUBEASSUME_CA_FILE" "$KUBEASSUME_ISSUER_URL/openid/v1/jwks"
thumbprint=$(openssl s_client -connect "$host" -showcerts </dev/null 2>/dev/null |
  awk '/BEGIN CERT/{pem=""} {pem=pem $0 "\\n"} END{printf "%s", last} /END CERT/{last=pem}' |
  openssl x509 -fingerprint -sha1 -noout | sed 's/.*=//; s/://g')
aws sts get-caller-identity
arn=$(aws iam create-open-id-connect-provider --url "$KUBEASSUME_ISSUER_URL" --client-id-list sts.amazonaws.com --thumbprint-list "$thumbprint" --query OpenIDConnectProviderArn --output text)
aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$arn"
`;
const REMOVE = 'aws iam delete-open-id-connect-provider --open-id-connect-provider-arn "$1"';

/** The same for Google Cloud: look at the documents and the project, make pool and provider, look at them. */
const BY_HAND_GCP = `set -euo pipefail
curl -sf --cacert "$KUBEASSUME_CA_FILE" "$KUBEASSUME_ISSUER_URL/.well-known/openid-configuration"
curl -sf --cacert "$KUBEASSUME_CA_FILE" "$KUBEASSUME_ISSUER_URL/openid/v1/jwks"
pool=hand-$$
gcloud projects describe "$GOOGLE_CLOUD_PROJECT" --format='value(projectNumber)'
gcloud iam workload-identity-pools create "$pool" --location=global --quiet
gcloud iam workload-identity-pools providers create-oidc kubernetes --workload-identity-pool="$pool" --location=global --issuer-uri="$KUBEASSUME_ISSUER_URL" --attribute-mapping=google.subject=assertion.sub --quiet
gcloud iam workload-identity-pools providers describe kubernetes --workload-identity-pool="$pool" --location=global
`;
const KUBEASSUME = `${JSON.stringify(process.execPath)} ${JSON.stringify(resolve("dist/kubeassume.js"))}`;

async function areHere(what: string, programs: readonly (readonly [string, string])[]): Promise<boolean> {
  const missing = (await Promise.all(programs.map(async ([name, arg]) => ((await hasProgram(name, [arg])) ? [] : [name])))).flat();
  if (missing.length > 0) console.error(`${what}: left out, there is no ${missing.join(", ")} here`);
  return missing.length === 0;
}

/** `setup` of each cloud against the same steps with the vendor's own programs, both on the same stand-ins. */
export async function benchSetup(): Promise<readonly Row[]> {
  const common = [["curl", "--version"], ["bash", "--version"]] as const;
  const rows: Row[] = [];
  if (await areHere("setup aws", [["aws", "--version"], ["openssl", "version"], ...common])) rows.push(...(await withScene("aws", benchAws)));
  if (await areHere("setup gcp", [["gcloud", "--version"], ...common])) rows.push(...(await withScene("gcp", benchGcp)));
  return rows;
}

async function withScene(cloud: "aws" | "gcp", bench: (scene: Scene) => Promise<readonly Row[]>): Promise<readonly Row[]> {
  const scene = await startScene({ clouds: [cloud] });
  try {
    return await bench(scene);
  } finally {
    await scene.close();
  }
}

async function benchAws(scene: Scene): Promise<readonly Row[]> {
  const published = await scene.run(["publish", "s3", "--issuer-url", scene.issuer, "--bucket", "oidc", "--create-bucket"]);
  if (published.exit !== 0) throw new Error(published.stderr);
  const script = await scene.file("by-hand.sh", BY_HAND);
  await chmod(script, 0o700);
  await writeFile(join(scene.dir, "remove.sh"), REMOVE);
  const env = { PATH: process.env["PATH"], HOME: scene.dir, ...scene.env };
  const arn = `arn:aws:iam::123456789012:oidc-provider/${scene.issuer.replace("https://", "")}`;
  // Each measured run registers the provider anew, so something has to take it away in between: for both alike.
  const fresh = (program: string) => ({ program: "bash", args: ["-c", program, "bash", arn], env, cwd: scene.dir });
  const medians = await mediansOf(
    {
      hand: fresh(`bash by-hand.sh && ${REMOVE}`),
      kubeassume: fresh(`${KUBEASSUME} setup aws --issuer-url "$KUBEASSUME_ISSUER_URL" && ${REMOVE}`),
      remove: fresh(`${JSON.stringify(process.execPath)} -e 0; ${REMOVE} || true`),
    },
    5,
  );
  const removal = medians.remove;
  return [against("`setup aws`", medians.kubeassume - removal, "ms", { name: "the same with aws, curl and openssl", value: medians.hand - removal }, 0.2)];
}

/** Every run makes a pool of its own: what is deleted keeps its name for 30 days. */
async function benchGcp(scene: Scene): Promise<readonly Row[]> {
  await scene.file("by-hand.sh", BY_HAND_GCP);
  const env = { PATH: process.env["PATH"], HOME: scene.dir, ...scene.env };
  const run = (program: string) => ({ program: "bash", args: ["-c", program], env, cwd: scene.dir });
  const medians = await mediansOf(
    { hand: run("bash by-hand.sh"), kubeassume: run(`${KUBEASSUME} setup gcp --issuer-url "$KUBEASSUME_ISSUER_URL" --project "$GOOGLE_CLOUD_PROJECT" --pool-id "pool-$$"`) },
    5,
  );
  return [against("`setup gcp`", medians.kubeassume, "ms", { name: "the same with gcloud and curl", value: medians.hand })];
}
