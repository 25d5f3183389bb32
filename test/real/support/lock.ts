import { mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { waitUntil } from "./wait.ts";

/** Longer than the slowest build on a slow machine with cold caches. */
const PATIENCE_MS = 30 * 60_000;

/**
 * Runs the work while no other process on this machine does work under the same lock. The lock is a symbolic link whose
 * target names its holder, so that taking it and signing it is one atomic step; the lock of a dead process is taken over.
 */
export async function withLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const holder = `${process.pid}.${randomUUID()}`;
  await waitUntil(() => takeLock(lockFile, holder), { what: `the lock ${lockFile}`, timeoutMs: PATIENCE_MS, intervalMs: 250 });
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function takeLock(lockFile: string, holder: string): Promise<boolean> {
  try {
    await symlink(holder, lockFile);
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
  const other = await readlink(lockFile).catch(() => undefined);
  if (other !== undefined && !isAlive(Number.parseInt(other, 10))) await breakLock(lockFile, other);
  return false;
}

/**
 * Only one process may break one dead holder's lock, and only while that is what it still is: its holder may have let go
 * before it died. Otherwise a late process would break the lock of a successor.
 */
async function breakLock(lockFile: string, deadHolder: string): Promise<void> {
  try {
    await mkdir(`${lockFile}.${deadHolder}`);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return;
    throw error;
  }
  if ((await readlink(lockFile).catch(() => undefined)) !== deadHolder) return;
  await rename(lockFile, `${lockFile}.${deadHolder}/broken`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
