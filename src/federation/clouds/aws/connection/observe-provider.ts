import { GetOpenIDConnectProviderCommand } from "@aws-sdk/client-iam";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import { PROVIDER_ID } from "../ids.ts";
import type { ProviderRecord } from "../judge/trust-file.ts";
import { ourTags, readMarks, toTagText } from "../marks.ts";
import { callIfExists, type Sdk } from "./calls.ts";

/** GetOpenIDConnectProvider by the computed ARN: the existence test, without any listing. Null when there is none. */
export async function readProvider({ iamClient }: Sdk, arn: string) {
  return callIfExists("iam:GetOpenIDConnectProvider", arn, () => iamClient.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn })));
}

/** The provider as the plan compares it. Only our own tags: foreign ones stay and are nobody's business. */
export async function observeProvider(sdk: Sdk, arn: string): Promise<readonly ObservedResource[]> {
  const found = await readProvider(sdk, arn);
  if (found === null) return [];
  const tags = ourTags(found.Tags ?? []);
  const fields = {
    audiences: found.ClientIDList ?? [],
    thumbprints: found.ThumbprintList ?? [],
    tags: tags.map(toTagText),
    ...(found.CreateDate === undefined ? {} : { createdAt: found.CreateDate.toISOString() }),
  };
  return [{ id: PROVIDER_ID, marked: readMarks(tags).managed, fields }];
}

/** AWS's record in AWS's shape, for the judge. */
export async function readProviderRecord(sdk: Sdk, arn: string): Promise<ProviderRecord | null> {
  const found = await readProvider(sdk, arn);
  if (found === null) return null;
  return { Url: found.Url ?? "", ClientIDList: found.ClientIDList ?? [], ThumbprintList: found.ThumbprintList ?? [], Arn: arn };
}
