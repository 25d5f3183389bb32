import { isDeepStrictEqual } from "node:util";
import { AddClientIDToOpenIDConnectProviderCommand, CreateOpenIDConnectProviderCommand, DeleteOpenIDConnectProviderCommand, RemoveClientIDFromOpenIDConnectProviderCommand, TagOpenIDConnectProviderCommand, UpdateOpenIDConnectProviderThumbprintCommand } from "@aws-sdk/client-iam";
import { KubeassumeError } from "../../../errors/error.ts";
import type { Fields, Step } from "../../../plan/step.ts";
import { awsErrorCodes } from "../codes.ts";
import { toTexts } from "../desired/provider.ts";
import { parseTagText, readMarks, type Tag } from "../marks.ts";
import { call, callIfExists, callUnlessExists, type Sdk } from "./calls.ts";
import { observeProvider } from "./observe-provider.ts";

/** Performs one step of the provider. Every call is one that may be repeated. */
export async function performProvider(sdk: Sdk, step: Step): Promise<void> {
  if (step.action === "delete") return deleteProvider(sdk, step.target);
  if (step.after === null) return;
  if (step.action === "create") return createProvider(sdk, step.target, step.after);
  return repairProvider(sdk, step.target, step.before ?? {}, step.after);
}

async function createProvider(sdk: Sdk, arn: string, after: Fields): Promise<void> {
  const thumbprints = toTexts(after, "thumbprints");
  const command = new CreateOpenIDConnectProviderCommand({
    Url: issuerOf(arn),
    ClientIDList: [...toTexts(after, "audiences")],
    Tags: [...toTags(after)],
    ...(thumbprints.length === 0 ? {} : { ThumbprintList: [...thumbprints] }),
  });
  const created = await callUnlessExists("iam:CreateOpenIDConnectProvider", arn, () => sdk.iamClient.send(command));
  if (created !== null) return;
  // Made in between: by ourselves, when an answer was lost, or by somebody else. The name alone says neither.
  const [found] = await observeProvider(sdk, arn);
  if (found === undefined || !found.marked) {
    throw new KubeassumeError(awsErrorCodes.AWS_CONFLICT, { message: `${arn} was made by somebody else since it was looked for` });
  }
  await repairProvider(sdk, arn, found.fields, after);
}

async function repairProvider(sdk: Sdk, arn: string, before: Fields, after: Fields): Promise<void> {
  const { iamClient } = sdk;
  const target = { OpenIDConnectProviderArn: arn };
  const [had, wanted] = [toTexts(before, "audiences"), toTexts(after, "audiences")];
  // Additions first, so that no token that shall be accepted is refused in between.
  for (const ClientID of wanted.filter((audience) => !had.includes(audience))) {
    await call("iam:AddClientIDToOpenIDConnectProvider", arn, () => iamClient.send(new AddClientIDToOpenIDConnectProviderCommand({ ...target, ClientID })));
  }
  const thumbprints = toTexts(after, "thumbprints");
  if (thumbprints.length > 0 && !isSameSet(thumbprints, toTexts(before, "thumbprints"))) {
    const command = new UpdateOpenIDConnectProviderThumbprintCommand({ ...target, ThumbprintList: [...thumbprints] });
    await call("iam:UpdateOpenIDConnectProviderThumbprint", arn, () => iamClient.send(command));
  }
  const tags = missingTags(before, after);
  if (tags.length > 0) {
    await call("iam:TagOpenIDConnectProvider", arn, () => iamClient.send(new TagOpenIDConnectProviderCommand({ ...target, Tags: [...tags] })));
  }
  for (const ClientID of had.filter((audience) => !wanted.includes(audience))) {
    await call("iam:RemoveClientIDFromOpenIDConnectProvider", arn, () => iamClient.send(new RemoveClientIDFromOpenIDConnectProviderCommand({ ...target, ClientID })));
  }
}

/** The mark is read again right before: deleting cannot be undone. */
async function deleteProvider(sdk: Sdk, arn: string): Promise<void> {
  const [found] = await observeProvider(sdk, arn);
  if (found === undefined) return;
  if (!found.marked) throw new KubeassumeError(awsErrorCodes.AWS_CONFLICT, { message: `${arn} does not carry kubeassume's mark any more` });
  const command = new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn });
  await callIfExists("iam:DeleteOpenIDConnectProvider", arn, () => sdk.iamClient.send(command));
}

function issuerOf(arn: string): string {
  return `https://${arn.slice(arn.indexOf(":oidc-provider/") + ":oidc-provider/".length)}`;
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return isDeepStrictEqual([...left].sort(), [...right].sort());
}

/** Tags of a step's fields. */
export function toTags(fields: Fields): readonly Tag[] {
  return toTexts(fields, "tags").map(parseTagText);
}

/** Those of the wanted tags that are not there with that value. */
export function missingTags(before: Fields, after: Fields): readonly Tag[] {
  const had = toTags(before);
  return toTags(after).filter((tag) => !had.some(({ Key, Value }) => Key === tag.Key && Value === tag.Value));
}

/** Whether fields carry the mark of the issuer that `after` names. */
export function hasMarksOf(fields: Fields, after: Fields): boolean {
  const [own, wanted] = [readMarks(toTags(fields)), readMarks(toTags(after))];
  return own.managed && own.issuerTag === wanted.issuerTag;
}
