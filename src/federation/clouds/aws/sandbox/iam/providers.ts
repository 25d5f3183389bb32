import { alreadyExists, AwsError, invalidInput, limitExceeded, noSuchEntity, validationError } from "../errors.ts";
import type { Call, QueryAction } from "../query.ts";
import type { OidcProvider } from "../state.ts";
import { readTopThumbprint } from "../tls.ts";
import { members } from "../xml.ts";
import type { XmlTree } from "../xml.ts";
import { pageOf } from "./paging.ts";
import { addTags, providerTagKey, refuseNoTags, removeTags, toWireTags } from "./tags.ts";

const MAX_CLIENT_IDS = 100;
const MAX_THUMBPRINTS = 5;

const byArn = (call: Call): string => call.form.text("OpenIDConnectProviderArn");

/** OIDC providers (docs.aws.amazon.com IAM API); words recorded against AWS where they are known. */
export const providerActions: Readonly<Record<string, QueryAction>> = {
  CreateOpenIDConnectProvider: {
    required: ["Url"],
    optional: ["ClientIDList", "ThumbprintList", "Tags"],
    tagging: "iam:TagOpenIDConnectProvider",
    resource: ({ form, state }) => `arn:${state.partition}:iam::${state.account}:oidc-provider/${form.text("Url").replace(/^https?:\/\//, "")}`,
    run: createProvider,
  },
  GetOpenIDConnectProvider: { required: ["OpenIDConnectProviderArn"], optional: [], resource: byArn, run: getProvider },
  DeleteOpenIDConnectProvider: { required: ["OpenIDConnectProviderArn"], optional: [], resource: byArn, run: deleteProvider },
  ListOpenIDConnectProviders: {
    required: [],
    optional: [],
    resource: ({ state }) => `arn:${state.partition}:iam::${state.account}:oidc-provider/*`,
    run: ({ state }) => ({ OpenIDConnectProviderList: members([...state.providers.keys()].map((arn) => ({ Arn: arn }))) }),
  },
  AddClientIDToOpenIDConnectProvider: { required: ["OpenIDConnectProviderArn", "ClientID"], optional: [], resource: byArn, run: addClientId },
  RemoveClientIDFromOpenIDConnectProvider: { required: ["OpenIDConnectProviderArn", "ClientID"], optional: [], resource: byArn, run: removeClientId },
  UpdateOpenIDConnectProviderThumbprint: { required: ["OpenIDConnectProviderArn"], optional: ["ThumbprintList"], resource: byArn, run: updateThumbprints },
  TagOpenIDConnectProvider: { required: ["OpenIDConnectProviderArn"], optional: ["Tags"], resource: byArn, run: tagProvider },
  UntagOpenIDConnectProvider: { required: ["OpenIDConnectProviderArn"], optional: ["TagKeys"], resource: byArn, run: untagProvider },
  ListOpenIDConnectProviderTags: { required: ["OpenIDConnectProviderArn"], optional: ["Marker", "MaxItems"], resource: byArn, run: listProviderTags },
};

async function createProvider(call: Call): Promise<XmlTree> {
  const { form, state } = call;
  const url = providerUrl(form.text("Url"));
  const arn = `arn:${state.partition}:iam::${state.account}:oidc-provider/${url}`;
  if (state.providers.has(arn)) throw alreadyExists(`Provider with url https://${url} already exists.`);
  const clientIds = [...new Set(form.list("ClientIDList"))];
  if (clientIds.length > MAX_CLIENT_IDS) throw tooManyClientIds();
  const given = thumbprintsOf(form.list("ThumbprintList"));
  const tags = addTags([], form.tags("Tags"), providerTagKey);
  if (state.providers.size >= state.quotas.providersPerAccount) {
    throw limitExceeded(`Cannot exceed quota for OpenIdConnectProvidersPerAccount: ${state.quotas.providersPerAccount}`);
  }
  const thumbprints = given.length > 0 ? given : [await fetchThumbprint(`https://${url}`, call)];
  if (state.providers.has(arn)) throw alreadyExists(`Provider with url https://${url} already exists.`);
  state.providers.set(arn, { arn, url, createDate: call.now(), clientIds, thumbprints, tags });
  return { OpenIDConnectProviderArn: arn, Tags: tags.length === 0 ? undefined : members(toWireTags(tags)) };
}

/** The URL as IAM keeps it: without scheme and default port, everything else as it came. */
function providerUrl(text: string): string {
  const [, scheme = "", authority = "", rest = ""] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]+)(.*)$/s.exec(text) ?? [];
  if (authority === "" || !URL.canParse(text)) throw validationError("Invalid Open ID Connect Provider URL");
  if (scheme !== "https") throw invalidInput("Invalid Open ID Connect Provider URL. The URL must begin with https://.");
  if (/[?#]/.test(rest)) throw invalidInput("Unknown");
  return authority.replace(/:443$/, "") + rest;
}

function thumbprintsOf(list: readonly string[]): string[] {
  if (list.length > MAX_THUMBPRINTS) throw invalidInput(`Thumbprint list must contain fewer than ${MAX_THUMBPRINTS} entries.`);
  return list.map((thumbprint) => thumbprint.toLowerCase());
}

/** Without thumbprints IAM connects to the issuer itself and keeps the top certificate's. */
async function fetchThumbprint(issuer: string, call: Call): Promise<string> {
  const thumbprint = await readTopThumbprint(issuer, call);
  if (thumbprint === null) throw new AwsError("OpenIdIdpCommunicationError", 400, `Unable to connect to the OpenID Connect provider at ${issuer}.`);
  return thumbprint;
}

function tooManyClientIds(): AwsError {
  return limitExceeded(`Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${MAX_CLIENT_IDS}`);
}

function found({ form, state }: Call): OidcProvider {
  const arn = form.text("OpenIDConnectProviderArn");
  const provider = state.providers.get(arn);
  if (provider === undefined) throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
  return provider;
}

function getProvider(call: Call): XmlTree {
  const { url, clientIds, thumbprints, createDate, tags } = found(call);
  const sorted = tags.toSorted((left, right) => (left.key < right.key ? -1 : 1));
  return { Url: url, ClientIDList: members(clientIds), ThumbprintList: members(thumbprints), CreateDate: createDate, Tags: members(toWireTags(sorted)) };
}

function deleteProvider({ form, state }: Call): undefined {
  const arn = form.text("OpenIDConnectProviderArn");
  if (!state.providers.delete(arn)) throw noSuchEntity(`OpenId connect Provider ${arn} cannot be found.`);
}

function addClientId(call: Call): undefined {
  const provider = found(call);
  const clientId = call.form.text("ClientID");
  if (provider.clientIds.includes(clientId)) return;
  if (provider.clientIds.length >= MAX_CLIENT_IDS) throw tooManyClientIds();
  provider.clientIds = [...provider.clientIds, clientId];
}

function removeClientId(call: Call): undefined {
  const provider = found(call);
  provider.clientIds = provider.clientIds.filter((clientId) => clientId !== call.form.text("ClientID"));
}

function updateThumbprints(call: Call): undefined {
  const provider = found(call);
  const thumbprints = thumbprintsOf(call.form.list("ThumbprintList"));
  if (thumbprints.length === 0) throw invalidInput("Thumbprint list must contain at least one entry.");
  provider.thumbprints = thumbprints;
}

function tagProvider(call: Call): undefined {
  const provider = found(call);
  const added = call.form.tags("Tags");
  refuseNoTags(added);
  provider.tags = addTags(provider.tags, added, providerTagKey);
}

function untagProvider(call: Call): undefined {
  const provider = found(call);
  provider.tags = removeTags(provider.tags, call.form.list("TagKeys"), providerTagKey);
}

function listProviderTags(call: Call): XmlTree {
  const { items, truncation } = pageOf(found(call).tags, ({ key }) => key, call.form);
  return { Tags: members(toWireTags(items)), ...truncation };
}
