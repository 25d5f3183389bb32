import type { Pool, Provider, ServiceAccount } from "../state.ts";

/** As Google answers it: members with the default value of their type are left out. */
export function renderPool({ name, displayName, description, disabled, mode, state, expireTime }: Pool): Readonly<Record<string, unknown>> {
  return {
    name,
    ...present({ displayName, description }),
    state,
    ...(disabled ? { disabled } : {}),
    ...(mode === null ? {} : { mode }),
    ...(expireTime === null ? {} : { expireTime: expireTime.toISOString() }),
  };
}

export function renderProvider(provider: Provider): Readonly<Record<string, unknown>> {
  const { name, displayName, description, disabled, state, expireTime, attributeMapping, attributeCondition, oidc } = provider;
  return {
    name,
    ...present({ displayName, description }),
    state,
    ...(disabled ? { disabled } : {}),
    attributeMapping,
    ...present({ attributeCondition }),
    oidc: {
      issuerUri: oidc.issuerUri,
      ...(oidc.allowedAudiences.length === 0 ? {} : { allowedAudiences: oidc.allowedAudiences }),
      ...present({ jwksJson: oidc.jwksJson }),
    },
    ...(expireTime === null ? {} : { expireTime: expireTime.toISOString() }),
  };
}

export function renderServiceAccount({ email, uniqueId, displayName, description, disabled }: ServiceAccount, project: string): Readonly<Record<string, unknown>> {
  return {
    name: `projects/${project}/serviceAccounts/${email}`,
    projectId: project,
    uniqueId,
    email,
    ...present({ displayName, description }),
    // Google's old etag, the same for all.
    etag: "MDEwMjE5MjA=",
    oauth2ClientId: uniqueId,
    ...(disabled ? { disabled } : {}),
  };
}

function present(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
}
