import type { FaultCloud, Facts } from "./fault-cloud.ts";
import type { Scene } from "./scene.ts";

/** What really exists in the cloud and of the commands' objects in the cluster. */
export function factsOf(scene: Scene, cloud: FaultCloud): Facts {
  const { cluster } = scene.sandbox;
  const objects = cloud.objects.map(({ id, plural, namespace, name }) => [id, contentOf(cluster.find(plural, namespace, name))] as const);
  return { ...cloud.factsOf(scene), ...Object.fromEntries(objects) };
}

function contentOf(object: object | null): unknown {
  if (object === null) return null;
  const { metadata, data } = object as { readonly metadata: { readonly annotations?: unknown; readonly labels?: unknown }; readonly data?: unknown };
  return { annotations: metadata.annotations ?? null, labels: metadata.labels ?? null, data: data ?? null };
}
