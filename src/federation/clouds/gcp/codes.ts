import { defineCodes, EXIT } from "../../errors/error.ts";

export { gcpInputCodes } from "./input-codes.ts";

/** What Google Cloud, its credentials or the way to it can answer. */
export const gcpErrorCodes = defineCodes({
  GCP_CREDENTIALS_MISSING: {
    exit: EXIT.input,
    summary: "no Google Cloud credentials were found",
    why: "GOOGLE_APPLICATION_CREDENTIALS, gcloud's own variables, the application default credentials in gcloud's folder and the metadata server were asked in that order, and none of them has any.",
    fix: "log in with gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
  },
  GCP_CREDENTIALS_EXPIRED: {
    exit: EXIT.refused,
    summary: "the Google Cloud credentials have expired or were revoked",
    why: "Access tokens live for an hour, and a login can be revoked or fall under a session length that the organization sets.",
    fix: "log in again with gcloud auth application-default login",
  },
  GCP_CREDENTIALS_INVALID: {
    exit: EXIT.refused,
    summary: "the Google Cloud credentials cannot be used",
    why: "The file is not a credential file, the account or its key does not exist any more, or the token endpoint refuses it. A wrong clock breaks signed requests too.",
    fix: "check them with gcloud auth application-default print-access-token, and compare the clock",
  },
  GCP_ACCESS_DENIED: {
    exit: EXIT.refused,
    summary: "Google Cloud denies a permission to the caller",
    why: "No role of the caller has the permission on the project, the bucket or the service account, or an organization policy forbids the change. Google answers the same for what does not exist.",
    fix: "grant the permission that the message names; kubeassume permissions gcp prints the least role for each command",
  },
  GCP_API_DISABLED: {
    exit: EXIT.refused,
    summary: "an API is not enabled in the project",
    why: "A project answers only for APIs that were enabled in it. kubeassume needs iam, sts, iamcredentials and cloudresourcemanager, and storage for publishing.",
    fix: "enable it: gcloud services enable iam.googleapis.com sts.googleapis.com iamcredentials.googleapis.com cloudresourcemanager.googleapis.com --project PROJECT; it takes effect after a minute or two",
  },
  GCP_QUOTA_PROJECT_INVALID: {
    exit: EXIT.refused,
    summary: "the requests are counted for a project that cannot be used",
    why: "User credentials name a quota project; there the caller needs serviceusage.services.use.",
    fix: "gcloud auth application-default set-quota-project PROJECT",
  },
  GCP_THROTTLED: {
    exit: EXIT.refused,
    summary: "Google Cloud answers that there are too many requests",
    why: "Workload identity federation takes 60 writes and 600 reads per project and minute. The request had been repeated already.",
    fix: "wait a minute and run the same command again: it goes on where it stopped",
  },
  GCP_UNAVAILABLE: {
    exit: EXIT.refused,
    summary: "Google Cloud failed on its side",
    why: "The service answered with an internal error, and did so again when the request was repeated.",
    fix: "run the same command again: every step is safe to repeat",
  },
  GCP_UNREACHABLE: {
    exit: EXIT.refused,
    summary: "no complete answer from Google Cloud",
    why: "DNS, routing, a proxy, TLS, a connection that was cut, or no answer in time. What was asked may have happened nevertheless.",
    fix: "check the network, HTTPS_PROXY and CLOUDSDK_API_ENDPOINT_OVERRIDES_*, then run the same command again: every step is safe to repeat",
  },
  GCP_REFUSED: {
    exit: EXIT.refused,
    summary: "Google Cloud refuses a request",
    why: "For a reason without a code of its own here; the message has Google's own status and words.",
    fix: "read Google's words; kubeassume changed nothing with this request",
  },
  GCP_NOT_FOUND: {
    exit: EXIT.refused,
    summary: "Google Cloud does not know the resource",
    why: "It was removed in between, never existed, or belongs to another project.",
    fix: "check the name and the project that the message shows",
  },
  GCP_CONFLICT: {
    exit: EXIT.refused,
    summary: "something changed at the same time",
    why: "Another writer was faster each time that the policy was read and written, or the resource was made by somebody else in between.",
    fix: "run the same command again: it reads anew",
  },
  GCP_LIMIT_EXCEEDED: {
    exit: EXIT.refused,
    summary: "a quota of the project is used up",
    why: "Google limits pools, providers and service accounts per project. What was deleted counts until it is purged, 30 days later.",
    fix: "remove what is not used any more, or have the quota raised (IAM & Admin, Quotas)",
  },
  GCP_ORG_POLICY: {
    exit: EXIT.refused,
    summary: "an organization policy forbids it",
    why: "constraints/iam.workloadIdentityPoolProviders lists the issuers that providers may have; constraints/iam.allowedPolicyMemberDomains and others bound who may be in policies.",
    fix: "have the constraint that the message names allow this issuer or this member",
  },
  GCP_OPERATION_FAILED: {
    exit: EXIT.refused,
    summary: "a long-running operation ended with an error",
    why: "Google had accepted the request and then could not carry it out; the message has Google's own words.",
    fix: "read Google's words, then run the same command again: it reads what is there",
  },
  GCP_OPERATION_TIMEOUT: {
    exit: EXIT.refused,
    summary: "a long-running operation did not end in time",
    why: "Creating, changing and deleting pools and providers is asynchronous and usually takes seconds. It goes on at Google's side.",
    fix: "wait a minute and run the same command again: it finds what is done; --timeout gives it more time",
  },
  GCP_PROJECT_NOT_FOUND: {
    exit: EXIT.input,
    summary: "the project does not exist or is not visible to the caller",
    why: "A typing error, a project that is deleted or about to be, or no permission resourcemanager.projects.get on it: Google answers all of them alike.",
    fix: "check the project ID: gcloud projects describe PROJECT; roles/browser is enough to see it",
  },
  GCP_ROLE_MISSING: {
    exit: EXIT.input,
    summary: "the role does not exist",
    why: "A typing error, a custom role that is deleted, or a role that cannot be granted on this kind of resource.",
    fix: "list what can be granted: gcloud iam list-grantable-roles //cloudresourcemanager.googleapis.com/projects/PROJECT",
  },
  GCP_SERVICE_ACCOUNT_MISSING: {
    exit: EXIT.input,
    summary: "the service account that --impersonate names does not exist",
    why: "A typing error in the e-mail, or it was deleted. kubeassume makes one only when asked.",
    fix: "check the e-mail, or add --create-service-account",
  },
  GCP_BUCKET_MISSING: {
    exit: EXIT.input,
    summary: "the bucket that --on names does not exist",
    why: "A typing error, or it was deleted. Bucket names are global, and kubeassume makes buckets only for publishing.",
    fix: "check the name: gcloud storage buckets list",
  },
});
