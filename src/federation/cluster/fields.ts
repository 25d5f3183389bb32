import type { Fields } from "../plan/step.ts";

/** What kubeassume sets on an object of the cluster. */
export interface ObjectContent {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** ConfigMaps only. */
  readonly data?: Readonly<Record<string, string>>;
}

const PREFIXES = { labels: "label ", annotations: "annotation ", data: "data " } as const;

/**
 * One field per label, annotation and key, such as `annotation eks.amazonaws.com/role-arn`: a plan then compares
 * only those that it wants, and leaves those of others, other clouds of the same account included, alone.
 */
export function toObjectFields(content: ObjectContent): Fields {
  const entries = (Object.keys(PREFIXES) as (keyof typeof PREFIXES)[]).flatMap((part) =>
    Object.entries(content[part] ?? {}).map(([key, value]) => [`${PREFIXES[part]}${key}`, value] as const),
  );
  return Object.fromEntries(entries);
}

/** The reverse of {@link toObjectFields}. Fields of any other name are left out. */
export function fromObjectFields(fields: Fields): Required<ObjectContent> {
  const pick = (prefix: string) =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([name, value]) => (name.startsWith(prefix) && typeof value === "string" ? [[name.slice(prefix.length), value] as const] : [])),
    );
  return { labels: pick(PREFIXES.labels), annotations: pick(PREFIXES.annotations), data: pick(PREFIXES.data) };
}
