import { allUnchanged, type DemoScript, type DemoStep, refusal, stepsOf } from "../../../sandbox/demo-script.ts";
import { SANDBOX_ACCOUNT } from "./state.ts";

const ROLE = "demo-app";
const ROLE_ARN = `arn:aws:iam::${SANDBOX_ACCOUNT}:role/kubeassume/${ROLE}`;
const APP = { namespace: "demo", name: "app" };
const AUDIENCE = "sts.amazonaws.com";

type Data = Readonly<Record<string, unknown>>;

/** From nothing to a pod with access and back, with three refusals explained on the way. */
export const demo: DemoScript = (scene) => {
  const issuer = ["--issuer-url", scene.issuerUrl];
  const grant = ["--service-account", "demo/app", "--role-name", ROLE];
  const verify = ["verify", "aws", "--role-arn", ROLE_ARN];
  const later = new Date(scene.now.getTime() + 2 * 3_600_000).toISOString();
  const setup: DemoStep = {
    title: "AWS trusts the issuer",
    args: ["setup", "aws", ...issuer],
    exit: 0,
    tell: (data) => `${String(data["provider"])}\nthumbprint ${String(data["thumbprint"])} (the chain is private), audiences ${String(data["audiences"])}`,
  };
  return [
    {
      title: "publish the cluster's keys where AWS can read them",
      args: ["publish", "s3", "--bucket", scene.bucket, "--create-bucket", ...issuer],
      exit: 0,
      tell: (data) => `${String(data["discoveryUrl"])}\n${String(data["jwksUrl"])}`,
    },
    setup,
    {
      title: "let the service account demo/app act as a role",
      args: ["grant", "aws", ...issuer, ...grant, "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "--apply-manifests"],
      exit: 0,
      tell: (data) => String(data["principal"]),
    },
    {
      title: "a token of demo/app becomes an AWS session",
      args: [...verify, "--service-account", "demo/app", "--exchange"],
      exit: 0,
      tell: (data) => `STS answers: accepted, ${String((data["exchange"] as Data)["principal"])}`,
    },
    refusal("refused: a token for another audience", [...verify, "--token-file", "-", "--exchange"], { account: APP, audience: "vault" }),
    refusal("refused: another service account", [...verify, "--token-file", "-", "--exchange"], { account: { namespace: "demo", name: "other" }, audience: AUDIENCE }),
    refusal("refused: the same token two hours later", [...verify, "--token-file", "-", "--at", later], { account: APP, audience: AUDIENCE }),
    { ...setup, title: "a second setup changes nothing", holds: allUnchanged, tell: () => "every step: none" },
    {
      title: "everything is checked, with a freshly minted token",
      args: ["status", "aws", ...issuer, ...grant, "--mint"],
      exit: 0,
      tell: (data) => Object.entries(data["summary"] as Data).map(([status, count]) => `${String(count)} ${status}`).join(", "),
    },
    {
      title: "remove it all, in the safe order",
      args: ["teardown", "aws", ...issuer, "--delete-bucket", "--yes"],
      exit: 0,
      holds: (data) => stepsOf(data).length > 0,
      tell: (data) => stepsOf(data).map((step) => `${String(step["action"])} ${String(step["target"])}`).join("\n"),
    },
  ];
};
