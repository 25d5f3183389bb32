// The credential types that kubeassume reads, in place of google-auth-library's index, which also brings the metadata
// server, GDC-H and downscoping. The build puts it in (lean-bundle.ts); should a version of the library move these
// files, the build fails.
import aws from "google-auth-library/build/src/auth/awsclient.js";
import authorizedUser from "google-auth-library/build/src/auth/externalAccountAuthorizedUserClient.js";
import identityPool from "google-auth-library/build/src/auth/identitypoolclient.js";
import impersonated from "google-auth-library/build/src/auth/impersonated.js";
import jwt from "google-auth-library/build/src/auth/jwtclient.js";
import refresh from "google-auth-library/build/src/auth/refreshclient.js";

export const { AwsClient } = aws;
export const { ExternalAccountAuthorizedUserClient } = authorizedUser;
export const { IdentityPoolClient } = identityPool;
export const { Impersonated } = impersonated;
export const { JWT } = jwt;
export const { UserRefreshClient } = refresh;
