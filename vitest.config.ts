import { defineConfig } from "vitest/config";

export default defineConfig({
  // As the build does (scripts/build.ts).
  define: { KUBEASSUME_VERSION: JSON.stringify("0.0.0-test") },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/real/**", "node_modules/**"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "threads",
    // Test files share their modules within a worker: none changes global state, and importing anew costs half a minute.
    isolate: false,
    maxWorkers: 3,
  },
});
