import { AwsError } from "../errors.ts";
import type { ObjectOwnership, PublicAccessBlock, Tag } from "../state.ts";
import { childAt, childrenAt, textAt } from "../xml.ts";
import { parseXml } from "../parse-xml.ts";
import type { ParsedXml } from "../parse-xml.ts";
import { bucketOf } from "./call-bucket.ts";
import type { S3Action, S3Answer, S3Call } from "./call.ts";
import { malformedXml } from "./errors.ts";

/** Block Public Access, ownership and tags of a bucket (docs.aws.amazon.com S3 API). */
export const settingActions: Readonly<Record<string, S3Action>> = {
  "PUT bucket publicAccessBlock": { permission: "s3:PutBucketPublicAccessBlock", needsChecksum: true, run: putPublicAccessBlock },
  "GET bucket publicAccessBlock": { permission: "s3:GetBucketPublicAccessBlock", run: getPublicAccessBlock },
  "DELETE bucket publicAccessBlock": { permission: "s3:PutBucketPublicAccessBlock", run: (call) => clear(call, "publicAccessBlock") },
  "PUT bucket ownershipControls": { permission: "s3:PutBucketOwnershipControls", needsChecksum: true, run: putOwnership },
  "GET bucket ownershipControls": { permission: "s3:GetBucketOwnershipControls", run: getOwnership },
  "DELETE bucket ownershipControls": { permission: "s3:PutBucketOwnershipControls", run: (call) => clear(call, "ownership") },
  "PUT bucket tagging": { permission: "s3:PutBucketTagging", needsChecksum: true, run: putTagging },
  "GET bucket tagging": { permission: "s3:GetBucketTagging", run: getTagging },
  "DELETE bucket tagging": {
    permission: "s3:PutBucketTagging",
    run: (call) => {
      bucketOf(call).tags = [];
      return { status: 204 };
    },
  },
};

function clear(call: S3Call, name: "publicAccessBlock" | "ownership"): S3Answer {
  bucketOf(call)[name] = null;
  return { status: 204 };
}

/** The root element of a request document. @throws AwsError MalformedXML */
function rootOf(call: S3Call, name: string): ParsedXml {
  const root = childAt(parseXml(call.body.toString("utf8")) ?? undefined, name);
  if (root === undefined || Array.isArray(root)) throw malformedXml();
  return root as ParsedXml;
}

function putPublicAccessBlock(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  const root = rootOf(call, "PublicAccessBlockConfiguration");
  const flag = (name: keyof PublicAccessBlock): boolean => {
    const text = (textAt(root, name) ?? "false").toLowerCase();
    if (text !== "true" && text !== "false") throw malformedXml();
    return text === "true";
  };
  bucket.publicAccessBlock = {
    BlockPublicAcls: flag("BlockPublicAcls"),
    IgnorePublicAcls: flag("IgnorePublicAcls"),
    BlockPublicPolicy: flag("BlockPublicPolicy"),
    RestrictPublicBuckets: flag("RestrictPublicBuckets"),
  };
  return {};
}

function getPublicAccessBlock(call: S3Call): S3Answer {
  const { publicAccessBlock, name } = bucketOf(call);
  if (publicAccessBlock === null) {
    throw new AwsError("NoSuchPublicAccessBlockConfiguration", 404, "The public access block configuration was not found", { members: { BucketName: name } });
  }
  return { xml: ["PublicAccessBlockConfiguration", { ...publicAccessBlock }] };
}

export function isOwnership(text: string): text is ObjectOwnership {
  return text === "BucketOwnerEnforced" || text === "BucketOwnerPreferred" || text === "ObjectWriter";
}

function putOwnership(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  const rules = childrenAt(rootOf(call, "OwnershipControls"), "Rule");
  const ownership = textAt(rules[0], "ObjectOwnership");
  if (rules.length !== 1 || ownership === undefined || !isOwnership(ownership)) throw malformedXml();
  bucket.ownership = ownership;
  return {};
}

function getOwnership(call: S3Call): S3Answer {
  const { ownership, name } = bucketOf(call);
  if (ownership === null) throw new AwsError("OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found", { members: { BucketName: name } });
  return { xml: ["OwnershipControls", { Rule: { ObjectOwnership: ownership } }] };
}

const MAX_BUCKET_TAGS = 50;

/** @throws AwsError MalformedXML, InvalidTag */
export function parseTags(elements: readonly ParsedXml[]): Tag[] {
  const tags = elements.map((element) => {
    const [key, value] = [textAt(element, "Key"), textAt(element, "Value")];
    if (key === undefined || value === undefined || key === "") throw malformedXml();
    return { key, value };
  });
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw invalidTag("Cannot provide multiple Tags with the same key");
  if (tags.some(({ key }) => /^aws:/i.test(key))) throw invalidTag("System tags cannot be added/updated by requester");
  if (tags.some(({ key }) => key.length > 128)) throw invalidTag("The TagKey you have provided is invalid");
  if (tags.some(({ value }) => value.length > 256)) throw invalidTag("The TagValue you have provided is invalid");
  if (tags.length > MAX_BUCKET_TAGS) throw new AwsError("BadRequest", 400, `Bucket tag count cannot be greater than ${MAX_BUCKET_TAGS}`);
  return tags;
}

function invalidTag(message: string): AwsError {
  return new AwsError("InvalidTag", 400, message);
}

function putTagging(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  bucket.tags = parseTags(childrenAt(childAt(rootOf(call, "Tagging"), "TagSet"), "Tag"));
  return { status: 204 };
}

function getTagging(call: S3Call): S3Answer {
  const { tags, name } = bucketOf(call);
  if (tags.length === 0) throw new AwsError("NoSuchTagSet", 404, "The TagSet does not exist", { members: { BucketName: name } });
  return { xml: ["Tagging", { TagSet: { Tag: tags.map(({ key, value }) => ({ Key: key, Value: value })) } }] };
}
