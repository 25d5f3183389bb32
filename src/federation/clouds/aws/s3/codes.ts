import { defineCodes, EXIT } from "../../../errors/error.ts";

/** What is particular to a bucket as a store; credentials, denials and the network have AWS's common codes. */
export const codes = defineCodes({
  BUCKET_NAME_INVALID: {
    exit: EXIT.input,
    summary: "S3 would refuse the bucket name",
    why: "A bucket name has 3 to 63 lower-case letters, digits, dots and dashes, begins and ends with a letter or digit, does not look like an IP address, and has none of the prefixes and suffixes that AWS keeps for itself.",
    fix: "choose another --bucket, for example acme-oidc",
  },
  BUCKET_NAME_HAS_DOTS: {
    exit: EXIT.input,
    summary: "a bucket with dots in its name cannot be an issuer by itself",
    why: "S3's certificate is for *.s3.REGION.amazonaws.com, and a wildcard stands for one label: no relying party accepts TLS for a name with more.",
    fix: "choose a bucket name without dots, or put a CDN with its own name in front and give --issuer-url",
  },
  BUCKET_PREFIX_INVALID: {
    exit: EXIT.input,
    summary: "the prefix cannot be a part of the issuer URL",
    why: "Prefix and issuer path are the same text: letters, digits and . _ - in parts that are separated by single slashes, without one at the beginning or end.",
    fix: "write it like prod or clusters/prod",
  },
  BUCKET_ISSUER_MISMATCH: {
    exit: EXIT.input,
    summary: "the issuer URL does not lead to what would be written",
    why: "An S3 URL names the bucket, the region and the object. When it names others than the flags do, every relying party reads something else.",
    fix: "leave --issuer-url out, or make bucket, region and prefix agree with it",
  },
  BUCKET_MISSING: {
    exit: EXIT.input,
    summary: "the bucket does not exist",
    why: "A typing error, another account, or it was never made. kubeassume makes buckets only when told to.",
    fix: "repeat with --create-bucket, or check the name and the account",
  },
  BUCKET_FOREIGN_OWNER: {
    exit: EXIT.refused,
    summary: "the bucket belongs to another AWS account",
    why: "Bucket names are shared by all accounts. Whoever owns the bucket of an issuer can mint tokens that you trust, so kubeassume writes only into the caller's own account.",
    fix: "choose another --bucket, or use credentials of the account that owns it",
  },
  BUCKET_REGION: {
    exit: EXIT.input,
    summary: "the bucket is in another region",
    why: "The region is a part of the issuer URL, and S3 answers an anonymous reader of another region's URL with a redirect or an error.",
    fix: "give the bucket's own region with --region",
  },
  BUCKET_ACLS_USED: {
    exit: EXIT.done,
    summary: "the bucket had access control lists, which are switched off",
    why: "kubeassume sets BucketOwnerEnforced, as every new bucket has it since April 2023. Objects that others could read through an ACL alone cannot be read by them any more.",
    fix: "publish into a bucket of its own when something in this one depends on ACLs",
  },
  BUCKET_SETTING_UNSUPPORTED: {
    exit: EXIT.done,
    summary: "the store does not know a setting that S3 has",
    why: "AWS_ENDPOINT_URL_S3 names another store, which speaks S3 but has no object ownership or no Block Public Access. There is nothing to set then; whether strangers can read is seen by reading back.",
    fix: "nothing, as long as the documents can be read back",
  },
  BUCKET_WOULD_BECOME_PUBLIC: {
    exit: EXIT.input,
    summary: "a policy statement of somebody else would begin to make the bucket public",
    why: "The bucket's policy has a statement for everybody that Block Public Access holds back. Publishing needs that block lifted, and the statement would take effect with ours.",
    fix: "remove that statement, or publish into a bucket of its own",
  },
  BUCKET_POLICY_MALFORMED: {
    exit: EXIT.refused,
    summary: "the bucket's policy cannot be understood",
    why: "It is not JSON, or has no list of statements. Writing over it could take access away from others.",
    fix: "look at it with aws s3api get-bucket-policy, and mend it first",
  },
  POLICY_TOO_LARGE: {
    exit: EXIT.input,
    summary: "the bucket's policy would be larger than S3 takes",
    why: "A bucket policy has at most 20,480 bytes, and every issuer in the bucket needs one statement.",
    fix: "remove statements that nobody needs, or publish into another bucket",
  },
  PUBLIC_ACCESS_BLOCKED: {
    exit: EXIT.refused,
    summary: "S3 does not let the bucket be read by everybody",
    why: "Block Public Access of the account or the organization, or a service control policy, wins over the bucket's own settings. Or the caller may not perform s3:PutBucketPolicy: S3 answers both with the same code.",
    fix: "allow public bucket policies for this account (aws s3control get-public-access-block shows the setting), or put CloudFront in front and give --issuer-url",
  },
  BUCKET_NOT_EMPTY: {
    exit: EXIT.partly,
    summary: "the bucket is not deleted because something else is in it",
    why: "Objects of others, older versions of objects, or statements of others in its policy.",
    fix: "look at what is in it, empty it, and run the same teardown again",
  },
  BUCKET_NOT_OURS: {
    exit: EXIT.partly,
    summary: "something in the way of a teardown does not carry kubeassume's mark",
    why: "Somebody else made it, or wrote over it. What is not marked is never deleted.",
    fix: "look at it, and delete it yourself if nobody needs it",
  },
});
