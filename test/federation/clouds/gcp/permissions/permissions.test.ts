import { describe, expect, it } from "vitest";
import { permissions } from "../../../../../src/federation/clouds/gcp/permissions/permissions.ts";
import { gcp } from "../../../../../src/federation/clouds/gcp/cloud.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import type { LoadedConfig } from "../../../../../src/federation/config/loaded-config.ts";
import { configWith, EMAIL, problemsOf } from "../scene.ts";

interface Role {
  readonly title: string;
  readonly description: string;
  readonly stage: string;
  readonly includedPermissions: readonly string[];
}

function role(command: string | undefined, flags: FlagValues = {}, config: LoadedConfig | null = null): Role {
  return permissions(command, { flags, config }) as unknown as Role;
}

const ofGrant = (flags: FlagValues, config: LoadedConfig | null = null) => role("grant", flags, config).includedPermissions.filter((name) => /setIamPolicy|create/.test(name));

describe("permissions gcp", () => {
  it.each(gcp.permissionCommands)("prints for %s a custom role as gcloud iam roles create takes it", (command) => {
    const definition = role(command);
    expect(Object.keys(definition)).toEqual(["title", "description", "stage", "includedPermissions"]);
    expect(definition.title.length).toBeLessThanOrEqual(100);
    expect(definition.description.length).toBeLessThanOrEqual(256);
    expect(definition.includedPermissions).toEqual([...new Set(definition.includedPermissions)].sort());
    // Members and audiences need the project's number; a bucket does not.
    expect(definition.includedPermissions).toContain(command === "publish" ? "storage.buckets.get" : "resourcemanager.projects.get");
  });

  it("lets only commands that write have permissions to write", () => {
    for (const command of ["status", "verify"]) expect(role(command).includedPermissions.filter((name) => !/\.(get|list|getIamPolicy)$/.test(name))).toEqual([]);
    for (const command of ["setup", "grant"]) expect(role(command).includedPermissions.filter((name) => name.endsWith(".delete"))).toEqual([]);
    expect(role("setup").includedPermissions.filter((name) => name.includes("IamPolicy"))).toEqual([]);
  });

  it("is everything together without a command", () => {
    const all = new Set(role(undefined).includedPermissions);
    for (const command of gcp.permissionCommands) for (const name of role(command).includedPermissions) expect(all).toContain(name);
  });

  it.each([
    [{}, ["iam.serviceAccounts.create", "iam.serviceAccounts.setIamPolicy", "resourcemanager.projects.setIamPolicy", "storage.buckets.setIamPolicy"]],
    [{ on: "project" }, ["resourcemanager.projects.setIamPolicy"]],
    [{ on: "bucket:acme-x" }, ["storage.buckets.setIamPolicy"]],
    [{ impersonate: EMAIL }, ["iam.serviceAccounts.setIamPolicy"]],
    [{ impersonate: EMAIL, createServiceAccount: true }, ["iam.serviceAccounts.create", "iam.serviceAccounts.setIamPolicy"]],
  ])("narrows grant to what %j needs", (flags, expected) => {
    expect(ofGrant(flags)).toEqual(expected);
  });

  it("narrows grant to what the config's grants need", () => {
    const config = configWith({ grants: [{ serviceAccount: "a/a", gcp: { roles: ["roles/viewer"] } }, { serviceAccount: "b/b", gcp: { impersonate: EMAIL } }] });
    expect(ofGrant({}, config)).toEqual(["iam.serviceAccounts.setIamPolicy", "resourcemanager.projects.setIamPolicy"]);
  });

  it("names the project and what lies elsewhere", () => {
    expect(role("grant", { project: "acme-prod" }).description).toBe("What kubeassume grant needs. Grant it on project acme-prod. It covers the buckets and service accounts of that project; for others grant it there too.");
    expect(role("setup").description).toBe("What kubeassume setup needs. Grant it on the pool's project.");
  });

  it("refuses an unknown command and a project number, both at once", () => {
    expect(problemsOf(() => permissions("dance", { flags: { project: "1" }, config: null }))).toEqual(["USAGE", "GCP_PROJECT_INVALID"]);
  });
});
