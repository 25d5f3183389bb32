import { createHash } from "node:crypto";
import { lstat, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codes } from "../../errors/codes.ts";
import { KubeassumeError } from "../../errors/error.ts";
import { makeFolders } from "../../make-folders.ts";

const MAX_BYTES = 1024 * 1024;
/** Everybody may read what is published anyway; the web server runs under another name than the operator. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/** A file's text and what identifies this state of it; null when there is none. */
export async function readPlainFile(path: string): Promise<{ readonly text: string; readonly version: string } | null> {
  try {
    if (!(await lstat(path)).isFile()) throw notPlain(path);
    const handle = await open(path, "r");
    try {
      const { size } = await handle.stat();
      if (size > MAX_BYTES) throw refusal(codes.FILE_UNREADABLE, path, `is larger than ${MAX_BYTES} bytes`, undefined);
      const bytes = await handle.readFile();
      return { text: bytes.toString("utf8"), version: createHash("sha256").update(bytes).digest("hex") };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof KubeassumeError) throw cause;
    if (systemCode(cause) === "ENOENT") return null;
    throw refusal(codes.FILE_UNREADABLE, path, `cannot be read (${systemCode(cause)})`, cause);
  }
}

/**
 * Replaces a file as a whole: readers see the old text or the new one, never a part, also after a power cut. Only when
 * the file is still in the state `replaces`. What a killed run left beside it is swept away.
 */
export async function replaceFile(path: string, text: string, replaces: string | null): Promise<"written" | "conflict"> {
  const folder = dirname(path);
  const temporary = join(folder, `${temporaryPrefix(path)}${process.pid}`);
  try {
    await makeFolders(folder, FOLDER_MODE);
    await sweepTemporaries(path);
    await writeDurably(temporary, text);
    if (((await readPlainFile(path))?.version ?? null) !== replaces) {
      await rm(temporary, { force: true });
      return "conflict";
    }
    await rename(temporary, path);
    await syncFolder(folder);
    return "written";
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (cause instanceof KubeassumeError) throw cause;
    throw unwritable(path, cause);
  }
}

/** Makes a folder and those above it, readable for everybody whatever the umask is; one that exists stays as it is. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path, FOLDER_MODE);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** What is in a folder; null when it does not exist, an error when it is something else. */
export async function listFolder(path: string): Promise<readonly string[] | null> {
  try {
    // Following links: a web root is often a link to the current release.
    return await readdir(path);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return null;
    throw refusal(codes.FILE_UNWRITABLE, path, `is not a folder that can be used (${systemCode(cause)})`, cause);
  }
}

/** Deletes a file; fine when there is none. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Removes a folder when nothing is in it. */
export async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (cause) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(systemCode(cause))) throw unwritable(path, cause);
  }
}

/** A hidden name that no web server lists; the process id tells a run that is at work from one that was killed. */
function temporaryPrefix(path: string): string {
  return `.${basename(path)}.kubeassume-`;
}

async function sweepTemporaries(path: string): Promise<void> {
  const prefix = temporaryPrefix(path);
  const folder = dirname(path);
  const stale = (await readdir(folder)).filter((name) => name.startsWith(prefix) && !isRunning(Number(name.slice(prefix.length))));
  await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })));
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return systemCode(cause) === "EPERM";
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, "w", FILE_MODE);
  try {
    await handle.writeFile(text);
    // Whatever the umask of the operator is.
    await handle.chmod(FILE_MODE);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function systemCode(cause: unknown): string {
  return (cause as NodeJS.ErrnoException | null)?.code ?? "unknown reason";
}

function notPlain(path: string): KubeassumeError {
  return new KubeassumeError(codes.FILE_UNWRITABLE, {
    message: `${path} is not a plain file`,
    hint: "a symbolic link or a folder is never replaced: remove it, or publish into the folder that it points to",
    details: { path },
  });
}

function unwritable(path: string, cause: unknown): KubeassumeError {
  return refusal(codes.FILE_UNWRITABLE, path, `cannot be written (${systemCode(cause)})`, cause);
}

function refusal(definition: typeof codes.FILE_UNWRITABLE | typeof codes.FILE_UNREADABLE, path: string, words: string, cause: unknown): KubeassumeError {
  return new KubeassumeError(definition, { message: `${path} ${words}`, details: { path }, cause });
}
