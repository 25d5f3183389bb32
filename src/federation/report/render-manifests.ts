import type { Manifest } from "../clouds/cloud.ts";

/**
 * Manifests as one YAML stream for `kubectl apply -f -`: what can be applied stands as it is, snippets to copy from
 * stand behind it as comments.
 */
export function renderManifests(manifests: readonly Manifest[]): string {
  const applicable = manifests.filter((manifest) => manifest.applicable).map((manifest) => manifest.yaml.trimEnd());
  const snippets = manifests.filter((manifest) => !manifest.applicable).map((manifest) => `# ${manifest.title}:\n${commented(manifest.yaml)}`);
  return [applicable.join("\n---\n"), ...snippets].filter((part) => part !== "").map((part) => `${part}\n`).join("\n");
}

function commented(yaml: string): string {
  return yaml
    .trimEnd()
    .split("\n")
    .map((line) => `#   ${line}`.trimEnd())
    .join("\n");
}
