/**
 * The library entry `kubeassume/thumbprint`: the chain that a TLS server really sends, the thumbprint that AWS IAM
 * computes from it, and a judgement of both.
 */
export { readServedChain } from "./chain.ts";
export type { ChainOptions, ServedChain } from "./chain.ts";
export { describeChain, thumbprintOf } from "./fingerprint.ts";
export type { ChainEntry } from "./fingerprint.ts";
export type { Verification } from "./handshake.ts";
export { judgeChain } from "./judge-chain.ts";
export type { ChainVerdict } from "./judge-chain.ts";
export { proxyFor } from "./proxy.ts";
export { readChainFacts } from "./chain-facts.ts";
export type { ReadChainOptions } from "./chain-facts.ts";
export { readThumbprint } from "./thumbprint.ts";
export type { ReadThumbprintOptions, Thumbprint, ThumbprintData } from "./thumbprint.ts";
