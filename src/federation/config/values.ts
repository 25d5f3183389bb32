import * as z from "zod/mini";
import { KubeassumeError } from "../errors/error.ts";
import { checkIssuerUrl } from "../oidc/issuer.ts";
import { parseServiceAccountName } from "../oidc/subject.ts";

/** A text with at least one character; `description` goes into the JSON Schema. */
export function text(description: string) {
  return z.string().check(z.minLength(1), z.describe(description));
}

/** A list of texts without duplicates. */
export function texts(description: string) {
  return z.array(z.string().check(z.minLength(1))).check(withoutDuplicates, z.meta({ description, uniqueItems: true }));
}

const withoutDuplicates = z.superRefine<readonly string[]>((list, context) => {
  list.forEach((item, index) => {
    if (list.indexOf(item) < index) context.addIssue({ code: "custom", path: [index], message: "is listed twice", input: item });
  });
});

/** An issuer by the rules that every relying party accepts; warnings are left to the commands. */
export function issuerUrl(description: string) {
  const judge = z.superRefine<string>((value, context) => {
    for (const problem of checkIssuerUrl(value).problems) addProblem(context, value, problem);
  });
  return z.string().check(judge, z.describe(description));
}

/** `NAMESPACE/NAME` as Kubernetes takes it. */
export function serviceAccountName(description: string) {
  const judge = z.superRefine<string>((value, context) => {
    try {
      parseServiceAccountName(value);
    } catch (problem) {
      if (!(problem instanceof KubeassumeError)) throw problem;
      addProblem(context, value, problem);
    }
  });
  return z.string().check(judge, z.describe(description));
}

/** `params` marks a message that names the value itself. */
function addProblem(context: z.core.$RefinementCtx<string>, input: string, { message, hint }: KubeassumeError): void {
  context.addIssue({ code: "custom", message, input, params: { hint } });
}
