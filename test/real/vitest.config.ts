import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "real",
    dir: import.meta.dirname,
    include: ["**/*.real.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // An API server with its etcd takes a core and 300 MB.
    maxWorkers: 2,
  },
});
