import { defineCodes, EXIT } from "../errors/error.ts";

/** Codes of the kubeconfig: everything that is wrong before a request is sent. */
export const kubeconfigCodes = defineCodes({
  CLUSTER_NOT_CONFIGURED: {
    exit: EXIT.input,
    summary: "no cluster is configured",
    why: "There is no --kubeconfig, no cluster member in kubeassume.yaml, no file that KUBECONFIG names, no ~/.kube/config, and kubeassume does not run in a pod.",
    fix: "name a kubeconfig with --kubeconfig or KUBECONFIG; keys can also come from --jwks-file or --public-key-file, without a cluster",
  },
  CLUSTER_CONTEXT_UNKNOWN: {
    exit: EXIT.input,
    summary: "the kubeconfig has no such context, cluster or user, or none is current",
    why: "The name is misspelt, belongs to another kubeconfig, or the file sets no current-context.",
    fix: "list the contexts with kubectl config get-contexts, and name one with --context",
  },
  KUBECONFIG_MALFORMED: {
    exit: EXIT.input,
    summary: "the kubeconfig cannot be read as one",
    why: "It is not YAML, not of kind Config, or a member has the wrong type: often a truncated copy, or base64 of something else.",
    fix: "write it again with the tool that made it; kubectl config view shows what kubectl sees",
  },
  KUBECONFIG_INSECURE: {
    exit: EXIT.input,
    summary: "the kubeconfig asks for a connection whose other end is not verified",
    why: "insecure-skip-tls-verify, or http to another machine: whoever stands in between could hand out keys of their own, and every cloud would trust them.",
    fix: "put the cluster's CA into certificate-authority-data and remove insecure-skip-tls-verify; http is accepted on loopback only (kubectl proxy)",
  },
  KUBECONFIG_UNSUPPORTED: {
    exit: EXIT.input,
    summary: "the kubeconfig uses something that kubeassume does not speak",
    why: "The built-in auth providers (azure, gcp, oidc) are gone from or deprecated in kubectl, SOCKS proxies are not implemented, and a plugin may insist on a terminal.",
    fix: "use an exec plugin (kubelogin, gke-gcloud-auth-plugin, aws eks get-token), a token, or a client certificate",
  },
  CLUSTER_CREDENTIAL_PLUGIN: {
    exit: EXIT.refused,
    summary: "the credential plugin that the kubeconfig names did not give a credential",
    why: "It is not installed, it failed or did not end in time, or it printed something that is no ExecCredential. What it prints is not shown here, because it may hold credentials.",
    fix: "run kubectl get --raw /version with the same context to see what the plugin says",
  },
});

/** Codes of the cluster: what it answers, or that it does not. */
export const clusterCodes = defineCodes({
  CLUSTER_UNREACHABLE: {
    exit: EXIT.refused,
    summary: "the API server cannot be reached",
    why: "It is down, the address is wrong, a VPN or a proxy is missing, or the answer broke off.",
    fix: "check with kubectl get --raw /version",
  },
  CLUSTER_TLS: {
    exit: EXIT.refused,
    summary: "the API server's certificate does not verify",
    why: "The kubeconfig has the CA of another cluster or none, the certificate expired, or it is for another name.",
    fix: "put the cluster's CA into certificate-authority-data; a name that differs from the address goes into tls-server-name",
  },
  CLUSTER_UNAUTHORIZED: {
    exit: EXIT.refused,
    summary: "the API server does not accept the credentials",
    why: "The token or the client certificate expired, was revoked, or belongs to another cluster.",
    fix: "log in to the cluster again, then check with kubectl auth whoami",
  },
  CLUSTER_FORBIDDEN: {
    exit: EXIT.refused,
    summary: "the cluster does not allow this",
    why: "RBAC gives the person or the service account of this kubeconfig no such permission.",
    fix: "ask for a Role or ClusterRole with the verb and the resource that the message names",
  },
  CLUSTER_THROTTLED: {
    exit: EXIT.refused,
    summary: "the API server asks to send fewer requests",
    why: "Priority and fairness answers 429 when the server is under load.",
    fix: "wait a little and run the same command again",
  },
  CLUSTER_FAILED: {
    exit: EXIT.refused,
    summary: "the API server failed, or answered with something that is no Kubernetes API",
    why: "A status of 500 or more, a redirect, or a web page: often a gateway in front of the API server, or etcd being down.",
    fix: "check with kubectl get --raw /readyz?verbose",
  },
  CLUSTER_REFUSED: {
    exit: EXIT.refused,
    summary: "the API server refuses what was asked",
    why: "A value that its validation or an admission webhook does not let through.",
    fix: "follow the reason in the message",
  },
  CLUSTER_CONFLICT: {
    exit: EXIT.refused,
    summary: "a field that kubeassume wants to set is managed by somebody else",
    why: "Server-side apply keeps one owner per field. Another manager set this one to another value, and would set it back.",
    fix: "let that manager give the field up or set the same value; kubeassume never takes a field by force",
  },
  CLUSTER_KEYS_UNAVAILABLE: {
    exit: EXIT.refused,
    summary: "the cluster serves no key set",
    why: "The API server turns service account issuer discovery off when its issuer is no URL, and some managed clusters hide it.",
    fix: "set --service-account-issuer to an https URL, or give the keys with --jwks-file or --public-key-file",
  },
  CLUSTER_ONE_SERVER_SEEN: {
    exit: EXIT.done,
    summary: "not every API server could be asked for its keys",
    why: "Behind a load balancer one poll sees one API server. During a key rotation the others may sign with keys that it does not have yet.",
    fix: "run publish from a machine that reaches the addresses of the kubernetes service, such as a node or a pod",
  },
  SERVICE_ACCOUNT_MISSING: {
    exit: EXIT.input,
    summary: "the cluster has no such service account",
    why: "Tokens can be minted only for a service account that exists; the name or the namespace may be misspelt.",
    fix: "create it with kubectl create serviceaccount, or apply the manifest that grant prints (--apply-manifests)",
  },
  CLUSTER_NAMESPACE_MISSING: {
    exit: EXIT.input,
    summary: "the cluster has no such namespace",
    why: "kubeassume creates ServiceAccounts and ConfigMaps, never namespaces: those carry policies of their own.",
    fix: "create it with kubectl create namespace, or correct the name",
  },
});

/** All of the above, for `explain`. */
export const codes = { ...kubeconfigCodes, ...clusterCodes };
