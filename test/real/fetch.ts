import { cannotRun } from "./support/cache.ts";
import { COMPONENT_NAMES } from "./support/components.ts";

/** Makes every component that `npm run test:real` needs, side by side, so that no test has to wait for a build. */
await Promise.all(COMPONENT_NAMES.map((name) => cannotRun(name)));
