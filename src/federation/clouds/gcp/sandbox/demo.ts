import { allUnchanged, type DemoScript, type DemoStep, refusal, stepsOf } from "../../../sandbox/demo-script.ts";
import { defaultAudience, providerName } from "../names.ts";
import { SANDBOX_PROJECT, SANDBOX_PROJECT_NUMBER } from "./state.ts";

const POOL = "demo";
const PRIVATE_POOL = "demo-private";
const APP = { namespace: "demo", name: "app" };
const EMAIL = `demo-app@${SANDBOX_PROJECT}.iam.gserviceaccount.com`;
const AUDIENCE = audienceOf(POOL);

type Data = Readonly<Record<string, unknown>>;

/** From nothing to a pod with access and back, once with published keys and once with uploaded ones. */
export const demo: DemoScript = (scene) => {
  const issuer = ["--issuer-url", scene.issuerUrl];
  const place = ["--project", SANDBOX_PROJECT, "--pool-id", POOL];
  const hidden = ["--project", SANDBOX_PROJECT, "--pool-id", PRIVATE_POOL];
  const grant = ["--service-account", "demo/app", "--role", "roles/storage.objectViewer"];
  const verify = ["verify", "gcp", ...place];
  const later = new Date(scene.now.getTime() + 2 * 3_600_000).toISOString();
  const setup: DemoStep = {
    title: "Google Cloud trusts the issuer, for one namespace",
    args: ["setup", "gcp", ...issuer, ...place, "--attribute-condition", "attribute.namespace == 'demo'"],
    exit: 0,
    tell: (data) => `${String(data["provider"])}\naudience ${String(data["audiences"])}`,
  };
  return [
    {
      title: "publish the cluster's keys where Google can read them",
      args: ["publish", "gcs", "--bucket", scene.bucket, "--create-bucket", "--project", SANDBOX_PROJECT, ...issuer],
      exit: 0,
      tell: (data) => `${String(data["discoveryUrl"])}\n${String(data["jwksUrl"])}`,
    },
    setup,
    {
      title: "let the service account demo/app read the project's buckets",
      args: ["grant", "gcp", ...issuer, ...place, ...grant, "--apply-manifests"],
      exit: 0,
      tell: (data) => String(data["principal"]),
    },
    {
      title: "a token of demo/app becomes a Google access token",
      args: [...verify, "--service-account", "demo/app", "--exchange"],
      exit: 0,
      tell: (data) => `STS answers: accepted, ${String((data["exchange"] as Data)["principal"])}`,
    },
    refusal("refused: a token for another audience", [...verify, "--token-file", "-", "--exchange"], { account: APP, audience: "vault" }),
    refusal("refused: an account of another namespace", [...verify, "--token-file", "-", "--exchange"], { account: { namespace: "other", name: "app" }, audience: AUDIENCE }),
    refusal("refused: the same token two hours later", [...verify, "--token-file", "-", "--at", later], { account: APP, audience: AUDIENCE }),
    { ...setup, title: "a second setup changes nothing", holds: allUnchanged, tell: () => "every step: none" },
    {
      title: "everything is checked, with a freshly minted token",
      args: ["status", "gcp", ...issuer, ...place, ...grant, "--mint"],
      exit: 0,
      tell: (data) => Object.entries(data["summary"] as Data).map(([status, count]) => `${String(count)} ${status}`).join(", "),
    },
    ...privateSteps(issuer, hidden),
    {
      title: "remove it all, in the safe order",
      args: ["teardown", "gcp", ...issuer, "--project", SANDBOX_PROJECT, "--delete-bucket", "--yes"],
      exit: 0,
      holds: (data) => stepsOf(data).length > 0,
      tell: (data) => stepsOf(data).map((step) => `${String(step["action"])} ${String(step["target"])}`).join("\n"),
    },
  ];
};

/** A cluster whose issuer nobody can read: its keys are uploaded. Its workload becomes a Google service account. */
function privateSteps(issuer: readonly string[], place: readonly string[]): readonly DemoStep[] {
  return [
    {
      title: "a private cluster: its keys are uploaded, nothing needs to be public",
      args: ["setup", "gcp", ...issuer, ...place, "--keys", "upload"],
      exit: 0,
      tell: (data) => String(data["provider"]),
    },
    {
      title: "let its demo/app act as a Google service account",
      args: ["grant", "gcp", ...issuer, ...place, "--service-account", "demo/app", "--impersonate", EMAIL, "--create-service-account"],
      exit: 0,
      tell: (data) => String(data["principal"]),
    },
    {
      title: "a token of demo/app becomes that service account",
      args: ["verify", "gcp", ...place, "--impersonate", EMAIL, "--token-file", "-", "--exchange"],
      token: { account: APP, audience: audienceOf(PRIVATE_POOL) },
      exit: 0,
      tell: (data) => `Google answers: accepted, ${String((data["exchange"] as Data)["principal"])}`,
    },
  ];
}

function audienceOf(poolId: string): string {
  return defaultAudience(providerName({ project: SANDBOX_PROJECT_NUMBER, poolId, providerId: "kubernetes" }));
}
