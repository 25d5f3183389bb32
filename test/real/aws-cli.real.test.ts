import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { awsCli } from "./support/aws-cli.ts";
import { cannotRun } from "./support/cache.ts";
import { runCommand } from "./support/command.ts";

describe.skipIf(await cannotRun("awscli"))("the real aws CLI", () => {
  it("starts and is the pinned one", async () => {
    const requirements = await readFile(new URL("awscli/requirements.txt", import.meta.url), "utf8");
    const pinned = /^awscli==(.+)$/m.exec(requirements)?.[1];
    const result = await runCommand((await awsCli()).command, ["--version"]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(`aws-cli/${pinned} `) });
  });
});
