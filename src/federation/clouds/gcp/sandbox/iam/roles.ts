import { notFound } from "../errors.ts";
import type { Method } from "../rest.ts";
import { isPredefinedRole } from "../roles.ts";

/** Reading one role: predefined ones are there for everybody to see, custom ones are those that tests seed. */
export const roleMethods: readonly Method[] = [
  { on: "GET /v1/roles/{role}", permission: null, resource: (path) => `roles/${path["role"] ?? ""}`, run: ({ path }) => predefined(`roles/${path["role"] ?? ""}`) },
  {
    on: "GET /v1/projects/{project}/roles/{role}",
    permission: "iam.roles.get",
    resource: (path) => `projects/${path["project"] ?? ""}/roles/${path["role"] ?? ""}`,
    run: ({ path, state }) => custom(`projects/${path["project"] ?? ""}/roles/${path["role"] ?? ""}`, state.customRoles),
  },
];

function predefined(name: string): unknown {
  if (!isPredefinedRole(name, "project")) throw missing(name);
  return { name, title: name.slice("roles/".length), stage: "GA", etag: "AA==" };
}

function custom(name: string, roles: ReadonlyMap<string, readonly string[]>): unknown {
  const includedPermissions = roles.get(name);
  if (includedPermissions === undefined) throw missing(name);
  return { name, title: name.slice(name.lastIndexOf("/") + 1), includedPermissions, stage: "GA", etag: "BwXZjR6Y0Qg=" };
}

function missing(name: string): ReturnType<typeof notFound> {
  return notFound(`The role named ${name} was not found.`);
}
