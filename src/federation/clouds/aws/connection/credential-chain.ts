// A module of its own: loaded only where keys do not lie in the environment, and bundled without the SDK's other providers.
export { createCredentialChain, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } from "@aws-sdk/credential-providers";
