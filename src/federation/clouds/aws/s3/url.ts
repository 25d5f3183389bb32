import { type Partition, partitionOfRegion } from "../partition.ts";

/** DNS suffixes of the partitions (AWS General Reference, service endpoints). */
const SUFFIXES: Readonly<Record<Partition, string>> = {
  aws: "amazonaws.com",
  "aws-us-gov": "amazonaws.com",
  "aws-cn": "amazonaws.com.cn",
  "aws-iso": "c2s.ic.gov",
  "aws-iso-b": "sc2s.sgov.gov",
  "aws-iso-e": "cloud.adc-e.uk",
  "aws-iso-f": "csp.hci.ic.gov",
  "aws-eusc": "amazonaws.eu",
};

/** What an S3 URL names. */
export interface S3Location {
  readonly bucket: string;
  readonly region: string;
  /** Without slashes around it; empty for the root of the bucket. */
  readonly prefix: string;
}

/** The URL under which S3 itself serves objects of a bucket to everybody (virtual-hosted style, with the region). */
export function s3Url({ bucket, region, prefix }: S3Location): string {
  const host = `https://${bucket}.s3.${region}.${SUFFIXES[partitionOfRegion(region)]}`;
  return prefix === "" ? host : `${host}/${prefix}`;
}

const REGION = "(?<region>[a-z]{2,4}(?:-[a-z]+)+-\\d+)";
const SUFFIX = `(?:${[...new Set(Object.values(SUFFIXES))].map((suffix) => suffix.replaceAll(".", "\\.")).join("|")})`;
const VIRTUAL_HOSTED = new RegExp(`^(?<bucket>[a-z0-9][a-z0-9.-]+)\\.s3[.-](?:dualstack\\.)?${REGION}\\.${SUFFIX}$`);
const PATH_STYLE = new RegExp(`^s3[.-](?:dualstack\\.)?${REGION}\\.${SUFFIX}$`);
const GLOBAL = /^(?<bucket>[a-z0-9][a-z0-9.-]+)\.s3\.amazonaws\.com$/;

/**
 * Bucket, region and prefix of an issuer that S3 itself serves, in every form that S3 answers; null for another host.
 * The form without a region belongs to us-east-1: S3 redirects readers of buckets elsewhere.
 * Source: S3 user guide, virtual hosting of buckets.
 */
export function parseS3Url(issuer: string): S3Location | null {
  if (!URL.canParse(issuer)) return null;
  const { hostname, pathname } = new URL(issuer);
  const path = pathname.replace(/^\/|\/$/g, "");
  const hosted = VIRTUAL_HOSTED.exec(hostname)?.groups ?? GLOBAL.exec(hostname)?.groups;
  if (hosted !== undefined) return { bucket: hosted["bucket"] ?? "", region: hosted["region"] ?? "us-east-1", prefix: path };
  const region = PATH_STYLE.exec(hostname)?.groups?.["region"];
  const [bucket = "", ...rest] = path.split("/");
  return region === undefined || bucket === "" ? null : { bucket, region, prefix: rest.join("/") };
}

/** Why S3 would refuse a bucket name; null when it would not. Source: S3 user guide, bucket naming rules. */
export function bucketNameProblem(name: string): string | null {
  if (name.length < 3 || name.length > 63) return `has ${name.length} characters instead of 3 to 63`;
  if (!/^[a-z0-9.-]+$/.test(name)) return "has other characters than lower-case letters, digits, dots and dashes";
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return "does not begin and end with a letter or a digit";
  if (name.includes("..")) return "has two dots in a row";
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return "looks like an IP address";
  const prefix = ["xn--", "sthree-", "amzn-s3-demo-"].find((reserved) => name.startsWith(reserved));
  if (prefix !== undefined) return `begins with ${prefix}, which AWS keeps for itself`;
  const suffix = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].find((reserved) => name.endsWith(reserved));
  return suffix === undefined ? null : `ends with ${suffix}, which AWS keeps for itself`;
}
