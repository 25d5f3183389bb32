import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT } from "../support/gcp-bench.ts";
import { runHere } from "../support/run-here.ts";
import { type Scene, startScene } from "../support/scene.ts";

/**
 * Long enough that requests which are sent together overlap on a busy machine too. Nothing is timed: what counts is
 * which request waited for which.
 */
const LATENCY_MS = 80;
const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;

/**
 * What each command may cost at most, the token for the caller's credentials included; more is a regression. Where many
 * requests are sent together, one is allowed more than is needed: on a busy machine the last of them may start when the
 * first is answered.
 */
const MOST: Readonly<Record<string, number>> = {
  // The token; project, pool, provider and providers side by side with the issuer's two documents; the pool; the provider.
  "setup, new": 5,
  "setup, unchanged": 2,
  // The token; project, policy, pool and provider; the policy, read again before it is written.
  "grant, new": 4,
  "grant, unchanged": 2,
  // The account between them.
  "impersonation, new": 5,
  // The token; bucket and documents; the bucket; keys; discovery; the policy, read again before it is written; the read-back.
  "publish, new": 7,
  "publish, unchanged": 4,
  status: 4,
  // Six to find everything; then the policies, the account, the provider, the pool, the documents, the bucket's policy and the bucket, most of them read again before they go.
  teardown: 19,
};

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({ clouds: ["gcp"], latencyMs: LATENCY_MS });
});

afterAll(() => scene.close());

describe("the longest chain of requests that wait for each other", () => {
  it("is what the commands promise, when everything is new, when nothing changes, and on the way back", { retry: 2 }, async () => {
    const issuer = ["--issuer-url", scene.issuer];
    const place = [...issuer, "--project", PROJECT, "--pool-id", "prod"];
    const setup = ["setup", "gcp", ...place];
    const grant = ["grant", "gcp", ...place, "--service-account", "demo/app", "--role", "roles/storage.objectViewer"];
    const impersonation = ["grant", "gcp", ...place, "--service-account", "demo/batch", "--impersonate", EMAIL, "--create-service-account"];
    const publish = ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, ...issuer];
    const commands: readonly (readonly [string, readonly string[]])[] = [
      ["setup, new", setup],
      ["setup, unchanged", setup],
      ["grant, new", grant],
      ["grant, unchanged", grant],
      ["impersonation, new", impersonation],
      ["publish, new", publish],
      ["publish, unchanged", publish],
      ["status", ["status", "gcp", ...place, "--service-account", "demo/app", "--role", "roles/storage.objectViewer", "--mint"]],
      ["teardown", ["teardown", "gcp", ...issuer, "--project", PROJECT, "--delete-bucket", "--yes"]],
    ];
    scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name: "app" });
    const counted: Record<string, number> = {};
    for (const [name, args] of commands) {
      scene.forget();
      const { exit, stderr } = await runHere(scene, args);
      expect(exit, stderr.slice(-2000)).toBe(0);
      counted[name] = scene.roundTrips();
    }
    const over = Object.entries(MOST).filter(([name, most]) => (counted[name] ?? Number.POSITIVE_INFINITY) > most);
    expect(over, JSON.stringify(counted)).toEqual([]);
    // Gone for thirty days, and its name with it: the next try begins anew.
    scene.gcp.state.pools.clear();
    scene.gcp.state.providers.clear();
  });
});
