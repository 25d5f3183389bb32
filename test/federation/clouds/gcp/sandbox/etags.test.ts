import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATOR_NAME } from "../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import { startTestGcp } from "./support/start.ts";
import type { TestGcp } from "./support/start.ts";

const KEY = "projects/kubeassume-sandbox";
const OWNER = { role: "roles/owner", members: [OPERATOR_NAME] };

let gcp: TestGcp;
beforeAll(async () => {
  gcp = await startTestGcp();
});
afterAll(() => gcp.stop());

describe("the etag of a policy", () => {
  it.each([
    ["as it was read", "BwZYHE9UH/4=", 200],
    ["in the alphabet for URLs, as gcloud sends it back", "BwZYHE9UH_4=", 200],
    ["of other bytes", "BwZYHE9UH/8=", 409],
  ])("counts by its bytes: %s", async (_, etag, status) => {
    gcp.state.policies.set(KEY, { versions: [{ policy: { version: 1, etag: "BwZYHE9UH/4=", bindings: [OWNER] }, at: new Date(0) }] });
    const answer = await gcp.call("cloudresourcemanager", "POST", `/v3/${KEY}:setIamPolicy`, { policy: { version: 1, etag, bindings: [OWNER] } });
    expect(answer.status).toBe(status);
  });
});
