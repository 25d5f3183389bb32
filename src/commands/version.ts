/** Set by the build from package.json, so that no file is read at start. */
declare const KUBEASSUME_VERSION: string;

export const VERSION: string = KUBEASSUME_VERSION;
