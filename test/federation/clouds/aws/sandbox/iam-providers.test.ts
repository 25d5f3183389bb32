import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  DeleteOpenIDConnectProviderCommand,
  GetOpenIDConnectProviderCommand,
  ListOpenIDConnectProvidersCommand,
  ListOpenIDConnectProviderTagsCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  TagOpenIDConnectProviderCommand,
  UntagOpenIDConnectProviderCommand,
  UpdateOpenIDConnectProviderThumbprintCommand,
} from "@aws-sdk/client-iam";
import type { CreateOpenIDConnectProviderCommandInput, GetOpenIDConnectProviderCommandOutput } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itConforms, refusalOf, startTestAws } from "./support/start.ts";
import type { TestAws } from "./support/start.ts";

const PRINT = "b".repeat(40);
const ARN = "arn:aws:iam::123456789012:oidc-provider/";

let aws: TestAws;
let count = 0;

beforeAll(async () => {
  aws = await startTestAws();
});

afterAll(() => aws.stop());

function create(input: Partial<CreateOpenIDConnectProviderCommandInput> & { readonly Url: string }): Promise<unknown> {
  return aws.iam.send(new CreateOpenIDConnectProviderCommand({ ThumbprintList: [PRINT], ...input }));
}

async function createNew(input: Partial<CreateOpenIDConnectProviderCommandInput> = {}): Promise<string> {
  count += 1;
  const url = `issuer-${count}.example.com`;
  await create({ ...input, Url: `https://${url}` });
  return ARN + url;
}

function read(arn: string): Promise<GetOpenIDConnectProviderCommandOutput> {
  return aws.iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));
}

describe("a provider's URL", () => {
  // Recorded: the ARN keeps path, case and trailing slash; Get answers the URL without its scheme.
  it.each([
    ["https://one.example.com/path/", "one.example.com/path/"],
    ["https://one.example.com/path", "one.example.com/path"],
    ["https://ONE.EXAMPLE.COM/MixedCase", "ONE.EXAMPLE.COM/MixedCase"],
    ["https://two.example.com:443", "two.example.com"],
    ["https://two.example.com:8443/x", "two.example.com:8443/x"],
  ])("%s is kept as %s", async (url, kept) => {
    const { OpenIDConnectProviderArn } = await aws.iam.send(new CreateOpenIDConnectProviderCommand({ Url: url, ThumbprintList: [PRINT] }));
    expect(OpenIDConnectProviderArn).toBe(ARN + kept);
    expect((await read(ARN + kept)).Url).toBe(kept);
  });

  it.each([
    ["http://plain.example.com", "InvalidInput", "Invalid Open ID Connect Provider URL. The URL must begin with https://."],
    ["https://query.example.com/?q=value", "InvalidInput", "Unknown"],
    ["https://fragment.example.com/#fragment", "InvalidInput", "Unknown"],
    ["no-scheme.example.com", "ValidationError", "Invalid Open ID Connect Provider URL"],
    ["https://", "ValidationError", "Invalid Open ID Connect Provider URL"],
  ])("%s is refused with %s", async (url, code, message) => {
    expect(await refusalOf(create({ Url: url }))).toEqual({ code, status: 400, message });
  });

  it("of more than 255 characters is refused", async () => {
    expect((await refusalOf(create({ Url: `https://${"a".repeat(248)}` }))).code).toBe("ValidationError");
  });

  it("can be registered once", async () => {
    await create({ Url: "https://twice.example.com" });
    const refusal = await refusalOf(create({ Url: "https://twice.example.com:443" }));
    expect(refusal).toEqual({ code: "EntityAlreadyExists", status: 409, message: "Provider with url https://twice.example.com already exists." });
  });
});

describe("audiences and thumbprints", () => {
  // Recorded: repeated client ids are kept once, repeated thumbprints stay; thumbprints become lower case and need not be hexadecimal.
  it("are kept as AWS keeps them", async () => {
    const arn = await createNew({ ClientIDList: ["z", "a", "z"], ThumbprintList: ["A".repeat(40), "g".repeat(40), "g".repeat(40)] });
    expect(await read(arn)).toMatchObject({ ClientIDList: ["z", "a"], ThumbprintList: ["a".repeat(40), "g".repeat(40), "g".repeat(40)] });
  });

  it("may be no audience at all", async () => {
    expect((await read(await createNew())).ClientIDList).toEqual([]);
  });

  it("refuses 101 audiences, at creation and one by one", async () => {
    const ids = Array.from({ length: 101 }, (_, index) => `client-${index}`);
    const message = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100";
    expect(await refusalOf(createNew({ ClientIDList: ids }))).toEqual({ code: "LimitExceeded", status: 409, message });
    const arn = await createNew({ ClientIDList: ids.slice(0, 100) });
    const add = new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn, ClientID: "client-100" });
    expect((await refusalOf(aws.iam.send(add))).code).toBe("LimitExceeded");
  });

  it("refuses six thumbprints and one of 39 characters", async () => {
    const message = "Thumbprint list must contain fewer than 5 entries.";
    expect(await refusalOf(createNew({ ThumbprintList: Array(6).fill(PRINT) }))).toEqual({ code: "InvalidInput", status: 400, message });
    expect((await refusalOf(createNew({ ThumbprintList: ["b".repeat(39)] }))).code).toBe("ValidationError");
  });

  it("adds and removes audiences as often as asked", async () => {
    const arn = await createNew({ ClientIDList: ["a"] });
    const target = { OpenIDConnectProviderArn: arn };
    await aws.iam.send(new AddClientIDToOpenIDConnectProviderCommand({ ...target, ClientID: "a" }));
    await aws.iam.send(new AddClientIDToOpenIDConnectProviderCommand({ ...target, ClientID: "b" }));
    await aws.iam.send(new RemoveClientIDFromOpenIDConnectProviderCommand({ ...target, ClientID: "never-there" }));
    await aws.iam.send(new RemoveClientIDFromOpenIDConnectProviderCommand({ ...target, ClientID: "a" }));
    expect((await read(arn)).ClientIDList).toEqual(["b"]);
  });

  it("replaces the thumbprints, but never by none", async () => {
    const arn = await createNew();
    const update = (list: string[]): Promise<unknown> => aws.iam.send(new UpdateOpenIDConnectProviderThumbprintCommand({ OpenIDConnectProviderArn: arn, ThumbprintList: list }));
    await update(["C".repeat(40)]);
    expect((await read(arn)).ThumbprintList).toEqual(["c".repeat(40)]);
    expect(await refusalOf(update([]))).toMatchObject({ status: 400, message: "Thumbprint list must contain at least one entry." });
  });
});

describe("tags of a provider", () => {
  // Recorded: keys that differ in case are two tags, and Get answers them sorted.
  it("are told apart by case and can be changed", async () => {
    const arn = await createNew({ Tags: [{ Key: "key", Value: "1" }, { Key: "Key", Value: "2" }] });
    const target = { OpenIDConnectProviderArn: arn };
    expect((await read(arn)).Tags).toEqual([{ Key: "Key", Value: "2" }, { Key: "key", Value: "1" }]);
    await aws.iam.send(new TagOpenIDConnectProviderCommand({ ...target, Tags: [{ Key: "key", Value: "3" }, { Key: "kubeassume.dev/issuer", Value: "https://x.example.com/a" }] }));
    await aws.iam.send(new UntagOpenIDConnectProviderCommand({ ...target, TagKeys: ["Key", "absent"] }));
    const { Tags, IsTruncated } = await aws.iam.send(new ListOpenIDConnectProviderTagsCommand(target));
    expect(Tags).toEqual([{ Key: "key", Value: "3" }, { Key: "kubeassume.dev/issuer", Value: "https://x.example.com/a" }]);
    expect(IsTruncated).toBe(false);
  });

  it.each([
    ["a key twice", [{ Key: "a", Value: "1" }, { Key: "a", Value: "2" }], "InvalidInput"],
    ["a reserved key", [{ Key: "aws:x", Value: "1" }], "InvalidInput"],
    ["a key of blanks", [{ Key: " ", Value: "1" }], "ValidationError"],
    ["a character that tags do not have", [{ Key: "a", Value: "{}" }], "ValidationError"],
    ["51 tags", Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "" })), "ValidationError"],
  ])("refuse %s", async (_name, tags, code) => {
    expect((await refusalOf(createNew({ Tags: tags }))).code).toBe(code);
  });

  it("stop at 50 in all", async () => {
    const arn = await createNew({ Tags: Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "" })) });
    const tag = new TagOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn, Tags: [{ Key: "one-more", Value: "" }] });
    expect((await refusalOf(aws.iam.send(tag))).code).toBe("LimitExceeded");
  });
});

describe("a provider that is not there", () => {
  const absent = `${ARN}absent.example.com`;

  it("is not found, in the words of each call", async () => {
    expect((await refusalOf(read(absent))).message).toBe(`OpenIDConnect Provider not found for arn ${absent}`);
    const remove = new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: absent });
    expect(await refusalOf(aws.iam.send(remove))).toMatchObject({ code: "NoSuchEntity", status: 404, message: `OpenId connect Provider ${absent} cannot be found.` });
  });

  it("is listed until it is deleted", async () => {
    const arn = await createNew();
    const list = async (): Promise<(string | undefined)[]> => {
      const { OpenIDConnectProviderList } = await aws.iam.send(new ListOpenIDConnectProvidersCommand({}));
      return (OpenIDConnectProviderList ?? []).map(({ Arn }) => Arn);
    };
    expect(await list()).toContain(arn);
    await aws.iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));
    expect(await list()).not.toContain(arn);
  });
});

itConforms(() => aws);
