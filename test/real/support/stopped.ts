import { afterAll } from "vitest";

interface Stoppable {
  stop(): Promise<void>;
}

/** Remembers what a test file starts and stops it after the file's tests, the last one first. */
export function stoppedAfterAll(): <T extends Stoppable>(starting: Promise<T>) => Promise<T> {
  const running: Stoppable[] = [];
  afterAll(async () => {
    for (const server of running.reverse()) await server.stop();
  });
  return async (starting) => {
    const server = await starting;
    running.push(server);
    return server;
  };
}
