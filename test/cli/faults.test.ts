import { it } from "vitest";
import { startLane } from "../support/fault-lane.ts";
import { placesOf } from "../support/fault-cells.ts";
import { factsOf } from "../support/fault-facts.ts";
import { writeFileSync } from "node:fs";
it("records", async () => {
  const t0 = performance.now();
  const lane = await startLane();
  console.log("start", performance.now() - t0);
  const issuer = ["--issuer-url", lane.scene.issuer];
  const policy = await lane.scene.file("p.json", JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] }));
  let out = "";
  for (let i = 0; i < 2; i++) {
  await lane.restore({ providers: new Map(), roles: new Map(), buckets: new Map(), objects: [] });
  for (const args of [
    ["publish", "s3", "--bucket", "oidc", "--create-bucket", ...issuer],
    ["setup", "aws", "--boilerplate-configmap", "demo/aws-trust", ...issuer],
    ["grant", "aws", "--service-account", "demo/app", "--role-name", "demo-app", "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "--policy-file", policy, "--apply-manifests", ...issuer],
    ["teardown", "aws", "--delete-bucket", "--yes", ...issuer],
  ]) {
    lane.scene.forget();
    const t = performance.now(); const c = process.cpuUsage();
    const ran = await lane.run([...args, "-o", "json"]);
    const u = process.cpuUsage(c);
    out += `${args.slice(0, 2).join(" ")} ${ran.exit} ${performance.now() - t}ms cpu ${(u.user + u.system) / 1000}\n${ran.exit === 0 ? "" : ran.stderr}`;
    if (i === 0) out += placesOf(lane.scene.calls()).map((p) => `   ${p.writes ? "W" : " "} ${p.name} #${p.nth}`).join("\n") + "\n" + JSON.stringify(factsOf(lane.scene)).slice(0, 3000) + "\n";
  }}
  writeFileSync("/tmp/h13.txt", out);
  await lane.scene.close();
});
