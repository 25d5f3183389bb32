/** What kubeassume calls of STS. Named one by one, so that the bundle leaves the others out. */
export { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
