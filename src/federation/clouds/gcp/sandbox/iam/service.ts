import type { RestService } from "../rest.ts";
import { poolMethods } from "./pools.ts";
import { providerMethods } from "./providers.ts";
import { roleMethods } from "./roles.ts";
import { serviceAccountMethods } from "./service-accounts.ts";

/** IAM v1: workload identity pools with OIDC providers, service accounts without keys, and roles to look up. */
export const iam: RestService = {
  host: "iam.googleapis.com",
  title: "Identity and Access Management (IAM) API",
  // Operations of providers are below both; the longer template does not fit the shorter path.
  methods: [...poolMethods, ...providerMethods, ...serviceAccountMethods, ...roleMethods],
};
