import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { HttpFailure } from "../../../http/http.ts";
import { pauseFor } from "../../../http/attempts.ts";
import { type Asked, isAnswered, toUnreachable } from "./errors.ts";
import { createRest, type Rest } from "./rest.ts";

/** What all parts of one connection share. */
export interface Session {
  readonly world: CloudWorld;
  readonly rest: Rest;
  /** Names of pools and e-mails of service accounts that this connection made: other parts of Google may not know them yet. */
  readonly fresh: Set<string>;
  /** Says something once, however often it applies. */
  readonly say: (message: string) => void;
}

/** Reads the credential file when there is one, and touches no network. */
export async function createSession(world: CloudWorld): Promise<Session> {
  const said = new Set<string>();
  const say = (message: string) => {
    if (said.has(message)) return;
    said.add(message);
    world.notify(message);
  };
  return { world, rest: await createRest(world), fresh: new Set(), say };
}

/** Waits between two tries of the same thing; throws GCP_UNREACHABLE when interrupted meanwhile. */
export async function pause({ world }: Session, milliseconds: number, asked: Asked): Promise<void> {
  try {
    await pauseFor(milliseconds, world.signal);
  } catch (error) {
    throw error instanceof HttpFailure ? toUnreachable(error, asked) : error;
  }
}

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 4000;

/**
 * Repeats what fails because Google does not know yet what was just made: with growing pauses (250 ms to 4 s), for as
 * long as one remote call may take in all, while `isEarly` says that this is why. The last failure is thrown.
 */
export async function untilKnown<T>(session: Session, asked: Asked, isEarly: (error: KubeassumeError) => boolean, work: () => Promise<T>): Promise<T> {
  return repeatWhile(session, asked, isEarly, "waiting until Google knows what was just made", work);
}

/**
 * The same for what Google refuses (ABORTED) while another operation on the same resource is under way: that of a run
 * that was killed, or one whose answer was lost.
 */
export async function untilIdle<T>(session: Session, asked: Asked, work: () => Promise<T>): Promise<T> {
  return repeatWhile(session, asked, (error) => isAnswered(error, 409), "waiting until Google has finished what it is doing with the same resource", work);
}

async function repeatWhile<T>(session: Session, asked: Asked, isEarly: (error: KubeassumeError) => boolean, words: string, work: () => Promise<T>): Promise<T> {
  const end = performance.now() + session.world.timeoutMs;
  for (let milliseconds = FIRST_PAUSE_MS; ; milliseconds = Math.min(milliseconds * 2, MAX_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KubeassumeError) || !isEarly(error) || performance.now() + milliseconds >= end) throw error;
    }
    session.say(words);
    await pause(session, milliseconds, asked);
  }
}

/** Works on all items, at most 8 at a time; results in the order of the items. The first failure is thrown. */
export async function mapBounded<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Map<number, R>();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results.set(index, await work(items[index] as T));
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return items.map((_, index) => results.get(index) as R);
}

const CONCURRENCY = 8;
