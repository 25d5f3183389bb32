import { member } from "../../../../oidc/json.ts";
import { isAllowed } from "../authorize.ts";
import { GET_POLICY, getPolicy, requestedVersionOf, SET_POLICY, setPolicy, TEST_PERMISSIONS } from "../iam-policy.ts";
import type { Call, Method, RestService } from "../rest.ts";

const resource = (path: Readonly<Record<string, string>>): string => `projects/${path["project"] ?? ""}`;

/** The same methods in both versions: kubeassume asks v3, gcloud v1. */
function policyMethods(version: "v1" | "v3"): readonly Method[] {
  const on = (verb: string): string => `POST /${version}/projects/{project}:${verb}`;
  return [
    { on: on("getIamPolicy"), permission: "resourcemanager.projects.getIamPolicy", resource, body: GET_POLICY, run: (call) => getPolicy(keyOf(call), requestedVersionOf(call.body), call) },
    { on: on("setIamPolicy"), permission: "resourcemanager.projects.setIamPolicy", resource, body: SET_POLICY, run: (call) => setPolicy(keyOf(call), "project", call) },
    { on: on("testIamPermissions"), permission: "resourcemanager.projects.get", resource, body: TEST_PERMISSIONS, run: testPermissions },
  ];
}

/** Resource Manager: the one project and its policy. */
export const resourceManager: RestService = {
  host: "cloudresourcemanager.googleapis.com",
  title: "Cloud Resource Manager API",
  methods: [
    { on: "GET /v3/projects/{project}", permission: "resourcemanager.projects.get", resource, run: getProject },
    ...policyMethods("v3"),
    { on: "GET /v1/projects/{project}", permission: "resourcemanager.projects.get", resource, run: getOldProject },
    ...policyMethods("v1"),
  ],
};

function keyOf({ state }: Call): string {
  return `projects/${state.project.id}`;
}

function getProject({ state: { project } }: Call): unknown {
  const createTime = project.createTime.toISOString();
  return { name: `projects/${project.number}`, parent: "organizations/100000000001", projectId: project.id, state: "ACTIVE", displayName: project.id, createTime, updateTime: createTime, etag: 'W/"0000000000000001"' };
}

/** In the form of Resource Manager v1, which only gcloud still asks. */
function getOldProject({ state: { project } }: Call): unknown {
  return {
    projectNumber: project.number,
    projectId: project.id,
    lifecycleState: "ACTIVE",
    name: project.id,
    createTime: project.createTime.toISOString(),
    parent: { type: "organization", id: "100000000001" },
  };
}

function testPermissions(call: Call): unknown {
  const asked = member(call.body, "permissions");
  const held = (Array.isArray(asked) ? asked.map(String) : []).filter((permission) => isAllowed(call.principal, permission, undefined, call));
  return held.length === 0 ? {} : { permissions: held };
}
