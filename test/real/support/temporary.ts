import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder {
  readonly directory: string;
  remove(): Promise<void>;
}

const folders = new Set<string>();
process.once("exit", () => {
  for (const directory of folders) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** A new, empty folder outside the repository, gone when the process ends even if nobody removes it. */
export async function makeTemporaryFolder(name: string): Promise<TemporaryFolder> {
  const directory = await mkdtemp(join(tmpdir(), `kubeassume-${name}-`));
  folders.add(directory);
  const remove = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
    folders.delete(directory);
  };
  return { directory, remove };
}
