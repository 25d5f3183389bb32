import type { StandInRequest } from "../http-core.ts";
import type { Resource, Verb } from "./resources.ts";
import { ClusterRefusal, unauthorized } from "./status.ts";

/** The sandbox's only user, as `forbidden` answers name it. */
export const ADMIN = "kubeassume-sandbox-admin";

/** What a request wants to do. */
export type Access =
  | { readonly verb: Verb; readonly resource: Resource; readonly subresource: string; readonly namespace: string; readonly name: string }
  | { readonly path: string };

export interface Gate {
  readonly token: string;
  /** Which accesses the admin is denied: tests of missing permissions set it. There are no roles beside it. */
  forbids: (access: Access) => boolean;
}

/**
 * Lets the admin's token pass, unless the gate forbids the access. No token at all is the anonymous user, who may do
 * nothing, as in a cluster without further bindings; any other token is nobody's.
 *
 * @throws ClusterRefusal 401 or 403
 */
export function refuseAccess(gate: Gate, request: StandInRequest, access: Access): void {
  const given = request.headers["authorization"];
  if (given === undefined) throw forbidden("system:anonymous", access);
  if (given !== `Bearer ${gate.token}`) throw unauthorized();
  if (gate.forbids(access)) throw forbidden(ADMIN, access);
}

/** The words of k8s.io/apiserver, endpoints/handlers/responsewriters/errors.go. */
function forbidden(user: string, access: Access): ClusterRefusal {
  if ("path" in access) return new ClusterRefusal(403, "Forbidden", `forbidden: User "${user}" cannot get path "${access.path}"`, {});
  const { verb, resource, subresource, namespace, name } = access;
  const full = subresource === "" ? resource.plural : `${resource.plural}/${subresource}`;
  const group = resource.group;
  const qualified = group === "" ? resource.plural : `${resource.plural}.${group}`;
  const object = name === "" ? qualified : `${qualified} "${name}"`;
  const scope = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const message = `${object} is forbidden: User "${user}" cannot ${verb} resource "${full}" in API group "${group}" ${scope}`;
  return new ClusterRefusal(403, "Forbidden", message, { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource.plural });
}
