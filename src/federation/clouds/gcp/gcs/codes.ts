import { defineCodes, EXIT } from "../../../errors/error.ts";

/** What is particular to a bucket as a store; credentials, denials and the network have GCP's common codes. */
export const codes = defineCodes({
  GCS_BUCKET_NAME_INVALID: {
    exit: EXIT.input,
    summary: "Cloud Storage would refuse the bucket name",
    why: "A bucket name has 3 to 63 lower-case letters, digits, dashes, underscores and dots (222 with dots), begins and ends with a letter or digit, does not look like an IP address, and neither begins with goog nor contains google.",
    fix: "choose another --bucket, for example acme-oidc",
  },
  GCS_PREFIX_INVALID: {
    exit: EXIT.input,
    summary: "the prefix cannot be a part of the issuer URL",
    why: "Prefix and issuer path are the same text: letters, digits and . _ - in parts that are separated by single slashes, without one at the beginning or end.",
    fix: "write it like prod or clusters/prod",
  },
  GCS_ISSUER_MISMATCH: {
    exit: EXIT.input,
    summary: "the issuer URL does not lead to what would be written",
    why: "A URL of Cloud Storage names the bucket and the object. When it names others than the flags do, every relying party reads something else.",
    fix: "leave --issuer-url out, or make bucket and prefix agree with it",
  },
  GCS_BUCKET_MISSING: {
    exit: EXIT.input,
    summary: "the bucket does not exist",
    why: "A typing error, or it was never made. kubeassume makes buckets only when told to.",
    fix: "repeat with --create-bucket, or check the name",
  },
  GCS_BUCKET_FOREIGN: {
    exit: EXIT.refused,
    summary: "the bucket belongs to another project",
    why: "Bucket names are shared by all projects of the world. Whoever owns the bucket of an issuer can mint tokens that you trust, so kubeassume writes only into a bucket of the project that is named.",
    fix: "choose another --bucket, or give the project that owns it with --project",
  },
  GCS_BUCKET_LOCATION: {
    exit: EXIT.input,
    summary: "the bucket is in another location",
    why: "A bucket's location cannot be changed.",
    fix: "leave --location out to use the bucket as it is, or choose another --bucket",
  },
  GCS_WOULD_BECOME_PUBLIC: {
    exit: EXIT.input,
    summary: "publishing would show something else to everybody",
    why: "Google takes no conditions for allUsers, so readers get every object of the bucket, and lifting public access prevention gives effect to every role that allUsers already has. The bucket holds objects that kubeassume did not publish, or such a role.",
    fix: "publish into a bucket of its own: another --bucket, with --create-bucket",
  },
  GCS_BUCKET_LISTABLE: {
    exit: EXIT.done,
    summary: "everybody can list the bucket",
    why: "A role that was given to everybody before, such as roles/storage.objectViewer, allows listing too. kubeassume gives roles/storage.legacyObjectReader, which does not, and changes no role of somebody else.",
    fix: "remove allUsers from the other role if nobody needs the list",
  },
  GCS_ACLS_USED: {
    exit: EXIT.done,
    summary: "the bucket had access control lists, which are switched off",
    why: "kubeassume sets uniform bucket-level access. Objects that others could read through an ACL alone cannot be read by them any more; Google lets it be switched back for 90 days.",
    fix: "publish into a bucket of its own when something in this one depends on ACLs",
  },
  GCS_SETTING_UNSUPPORTED: {
    exit: EXIT.done,
    summary: "the store does not know a setting that Cloud Storage has",
    why: "STORAGE_EMULATOR_HOST or CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE names an emulator without policies or without access settings. There is nothing to set then; whether strangers can read is seen by reading back.",
    fix: "nothing, as long as the documents can be read back",
  },
  GCS_PUBLIC_ACCESS_PREVENTED: {
    exit: EXIT.refused,
    summary: "Google does not let the bucket be read by everybody",
    why: "The organization forbids it: the constraint storage.publicAccessPrevention, or iam.allowedPolicyMemberDomains. Google answers with the same 412 as to a writer that was too late, but nobody had changed the policy. A prevention that was lifted on the bucket itself may take some minutes to end.",
    fix: "have both constraints allow it for this project (gcloud resource-manager org-policies describe storage.publicAccessPrevention --project PROJECT --effective), or put a load balancer in front and give --issuer-url; a private cluster needs no public issuer: kubeassume setup gcp --keys upload",
  },
  GCS_POLICY_CONFLICT: {
    exit: EXIT.refused,
    summary: "somebody else keeps changing the bucket's policy",
    why: "Policies are written only over what was read. That failed several times in a row, each time because the policy was another one.",
    fix: "find out what else changes the bucket's policy, then run the same command again",
  },
  GCS_BUCKET_NOT_EMPTY: {
    exit: EXIT.partly,
    summary: "the bucket is not deleted because something else is in it",
    why: "Objects of others, older versions of objects, or roles of others in its policy.",
    fix: "look at what is in it, empty it, and run the same teardown again",
  },
  GCS_NOT_OURS: {
    exit: EXIT.partly,
    summary: "something in the way of a teardown does not carry kubeassume's mark",
    why: "Somebody else made it, or wrote over it. What is not marked is never deleted.",
    fix: "look at it, and delete it yourself if nobody needs it",
  },
});
