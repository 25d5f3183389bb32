import type { Http } from "../../federation/http/http.ts";

/**
 * The same client, which tells of every request: method, place, answer, time. The query, the headers and the bodies
 * stay out: they may hold signatures, tokens and keys.
 */
export function traceHttp(http: Http, tell: (line: string) => void, now: () => Date): Http {
  return async (request) => {
    const started = now().getTime();
    const { origin, pathname } = new URL(request.url);
    const say = (outcome: string) => tell(`${request.method ?? "GET"} ${origin}${pathname}: ${outcome} (${now().getTime() - started} ms)`);
    try {
      const answer = await http(request);
      say(`${answer.status}, ${Buffer.byteLength(answer.body)} bytes`);
      return answer;
    } catch (failure) {
      say(failure instanceof Error ? failure.message : "failed");
      throw failure;
    }
  };
}
