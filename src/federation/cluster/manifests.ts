import type { Manifest, ServiceAccount } from "../clouds/cloud.ts";
import { renderYaml, type YamlValue } from "./render-yaml.ts";

type Texts = Readonly<Record<string, string>>;

export interface ServiceAccountOptions extends ServiceAccount {
  readonly annotations?: Texts;
  readonly labels?: Texts;
  /** By default `ServiceAccount`. */
  readonly title?: string;
}

export interface ProjectedPodOptions {
  readonly serviceAccount: ServiceAccount;
  /** Exactly one: a token with several is refused by AWS, and Azure knows one per credential. */
  readonly audience: string;
  /** Seconds; Kubernetes takes no less than 600 and the kubelet renews at 80 % of it. */
  readonly expirationSeconds: number;
  /** The folder in the container. */
  readonly mountPath: string;
  /** The token's file in that folder; the folder's other files are replaced as one when the token is renewed. */
  readonly fileName: string;
  readonly env: Texts;
  readonly volumeName: string;
  /** A ConfigMap that the container reads as files, beside the token. */
  readonly configMap?: { readonly name: string; readonly mountPath: string; readonly volumeName: string };
  /** By default `pod with a projected token`. */
  readonly title?: string;
}

export interface ConfigMapOptions {
  readonly namespace: string;
  readonly name: string;
  /** File names with their text. */
  readonly data: Texts;
  /** By default `ConfigMap`. */
  readonly title?: string;
}

export interface WebhookPodOptions {
  readonly serviceAccount: ServiceAccount;
  readonly labels?: Texts;
  readonly annotations?: Texts;
  /** By default `pod, where a webhook injects the token`. */
  readonly title?: string;
}

/** A ServiceAccount that can be applied as it stands. */
export function renderServiceAccount(options: ServiceAccountOptions): Manifest {
  const { namespace, name, annotations, labels } = options;
  const object = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace, ...filled({ labels, annotations }) } };
  return { title: options.title ?? "ServiceAccount", applicable: true, yaml: renderYaml(object) };
}

/** A ConfigMap that can be applied as it stands. */
export function renderConfigMap({ namespace, name, data, title }: ConfigMapOptions): Manifest {
  return { title: title ?? "ConfigMap", applicable: true, yaml: renderYaml({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data }) };
}

/**
 * A pod to copy from, for clusters without a webhook: it asks the kubelet for a token with one audience
 * (kubernetes.io/docs/concepts/storage/projected-volumes, "serviceAccountToken") and tells the SDK where it is.
 */
export function renderProjectedPod(options: ProjectedPodOptions): Manifest {
  const { audience, expirationSeconds, mountPath, fileName, volumeName, configMap } = options;
  const token = { serviceAccountToken: { audience, expirationSeconds, path: fileName } };
  const container = {
    ...CONTAINER,
    env: Object.entries(options.env).map(([name, value]) => ({ name, value })),
    volumeMounts: [{ name: volumeName, mountPath, readOnly: true }, ...(configMap === undefined ? [] : [{ name: configMap.volumeName, mountPath: configMap.mountPath, readOnly: true }])],
  };
  const volumes = [{ name: volumeName, projected: { sources: [token] } }, ...(configMap === undefined ? [] : [{ name: configMap.volumeName, configMap: { name: configMap.name } }])];
  const spec = { serviceAccountName: options.serviceAccount.name, containers: [container], volumes };
  return { title: options.title ?? "pod with a projected token", applicable: false, yaml: renderYaml(toPod(options.serviceAccount, spec)) };
}

/** A pod to copy from, for clusters where a webhook adds volume and environment: it only names its account. */
export function renderWebhookPod(options: WebhookPodOptions): Manifest {
  const { serviceAccount, labels, annotations } = options;
  const pod = toPod(serviceAccount, { serviceAccountName: serviceAccount.name, containers: [CONTAINER] }, filled({ labels, annotations }));
  return { title: options.title ?? "pod, where a webhook injects the token", applicable: false, yaml: renderYaml(pod) };
}

/** The reader's own container stands here. */
const CONTAINER = { name: "app", image: "registry.example.com/app:1.0" };

function toPod({ namespace, name }: ServiceAccount, spec: YamlValue, metadata: Readonly<Record<string, Texts>> = {}): YamlValue {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, ...metadata }, spec };
}

function filled(parts: Readonly<Record<string, Texts | undefined>>): Readonly<Record<string, Texts>> {
  return Object.fromEntries(Object.entries(parts).flatMap(([name, texts]) => (texts === undefined || Object.keys(texts).length === 0 ? [] : [[name, texts] as const])));
}
