import { execFile } from "node:child_process";

/** Whether a program that a test compares with is on this machine and answers. */
export function hasProgram(name: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(name, args, (error) => resolve(error === null));
  });
}
