/** Partitions of AWS: they share no accounts, no credentials and no ARNs (AWS General Reference, ARNs). */
export const PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"] as const;

export type Partition = (typeof PARTITIONS)[number];

/** Whether AWS has a partition of that name. */
export function isPartition(text: string): text is Partition {
  return (PARTITIONS as readonly string[]).includes(text);
}

/** Region prefixes of the partitions that are not `aws`, longest first where one begins with another. */
const REGION_PREFIXES: readonly (readonly [string, Partition])[] = [
  ["cn-", "aws-cn"],
  ["us-gov-", "aws-us-gov"],
  ["us-isob-", "aws-iso-b"],
  ["us-isof-", "aws-iso-f"],
  ["us-iso-", "aws-iso"],
  ["eu-isoe-", "aws-iso-e"],
  ["eusc-", "aws-eusc"],
];

/** The partition of a region, by its name; `aws` for every name that is not special. */
export function partitionOfRegion(region: string): Partition {
  return REGION_PREFIXES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? "aws";
}

/**
 * The audience by convention: what the tools of the partition ask for when nobody says otherwise. GovCloud's is
 * unconfirmed, so it is the common one, with a warning (see AWS_GOVCLOUD_AUDIENCE).
 */
export function defaultAudience(partition: Partition): string {
  return partition === "aws-cn" ? "sts.amazonaws.com.cn" : "sts.amazonaws.com";
}
