import { stringify } from "yaml";

const NAME = "kubeassume-sandbox";

/** A kubeconfig with one context, for the admin of the sandbox's cluster. It carries a secret: write it with mode 0600. */
export function renderKubeconfig(cluster: { readonly url: string; readonly caPem: string; readonly token: string }): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: NAME, cluster: { server: cluster.url, "certificate-authority-data": Buffer.from(cluster.caPem).toString("base64") } }],
    users: [{ name: NAME, user: { token: cluster.token } }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME, namespace: "default" } }],
    "current-context": NAME,
  });
}
