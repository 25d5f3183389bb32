import { chmod, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder and whatever is missing above it, each with exactly this mode, and leaves existing ones alone.
 * Not `mkdir` with `recursive`: Node's never ends where a file system answers ENOENT to making a folder, as /proc does.
 * Throws the system's error.
 */
export async function makeFolders(path: string, mode: number): Promise<void> {
  for (const folder of await missingFolders(path)) {
    try {
      await mkdir(folder);
      // The umask may have taken bits away.
      await chmod(folder, mode);
    } catch (cause) {
      // Somebody else was faster.
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    }
  }
}

/** Outermost first. */
async function missingFolders(path: string): Promise<readonly string[]> {
  try {
    await stat(path);
    return [];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    return [...(await missingFolders(dirname(path))), path];
  }
}
