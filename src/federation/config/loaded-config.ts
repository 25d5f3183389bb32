/** `kubeassume.yaml`, validated and with its paths resolved. Clouds read only their own member. */
export interface LoadedConfig {
  /** The file it came from, for messages. */
  readonly file: string;
  readonly issuer?: string;
  readonly cluster?: { readonly kubeconfig?: string; readonly context?: string };
  /** One entry per store: exactly one member, named after the store. */
  readonly publish: readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[];
  readonly clouds: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly grants: readonly ConfigGrant[];
}

export interface ConfigGrant {
  /** `namespace/name`, as written; several when one identity serves several accounts. */
  readonly serviceAccount: string;
  /** Members by cloud name. */
  readonly [cloud: string]: unknown;
}
