import { chmod, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hasProgram } from "../test/support/programs.ts";
import { startScene } from "../test/support/scene.ts";
import { mediansOf } from "./measure.ts";
import { against, type Row } from "./row.ts";

/** What a person types without kubeassume: look at the documents, take the thumbprint, register the provider, look at it. */
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
const NEEDED = [["aws", "--version"], ["openssl", "version"], ["curl", "--version"], ["bash", "--version"]] as const;

/** `setup aws` against the same steps with the vendor's own programs, both on the same stand-ins. */
export async function benchSetup(): Promise<readonly Row[]> {
  const missing = await Promise.all(NEEDED.map(async ([name, arg]) => ((await hasProgram(name, [arg])) ? [] : [name])));
  if (missing.flat().length > 0) {
    console.error(`setup: left out, there is no ${missing.flat().join(", ")} here`);
    return [];
  }
  const scene = await startScene();
  try {
    const published = await scene.run(["publish", "s3", "--issuer-url", scene.issuer, "--bucket", "oidc", "--create-bucket"]);
    if (published.exit !== 0) throw new Error(published.stderr);
    const script = await scene.file("by-hand.sh", BY_HAND);
    await chmod(script, 0o700);
    await writeFile(join(scene.dir, "remove.sh"), REMOVE);
    const env = { PATH: process.env["PATH"], HOME: scene.dir, ...scene.env };
    const arn = `arn:aws:iam::123456789012:oidc-provider/${scene.issuer.replace("https://", "")}`;
    // Each measured run registers the provider anew, so something has to take it away in between: for both alike.
    const fresh = (program: string) => ({ program: "bash", args: ["-c", program, "bash", arn], env, cwd: scene.dir });
    const commands = {
      hand: fresh(`bash by-hand.sh && ${REMOVE}`),
      kubeassume: fresh(`${JSON.stringify(process.execPath)} ${JSON.stringify(resolve("dist/kubeassume.js"))} setup aws --issuer-url "$KUBEASSUME_ISSUER_URL" && ${REMOVE}`),
      remove: fresh(`${JSON.stringify(process.execPath)} -e 0; ${REMOVE} || true`),
    };
    const medians = await mediansOf(commands, 5);
    const removal = medians.remove;
    return [
      against("`setup aws`", medians.kubeassume - removal, "ms", { name: "the same with aws, curl and openssl", value: medians.hand - removal }, 0.2),
    ];
  } finally {
    await scene.close();
  }
}
