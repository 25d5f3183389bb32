import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMarkedFor, MAX_DESCRIPTION_BYTES, readMarks, withMark } from "../../../../src/federation/clouds/gcp/marks.ts";
import { ISSUER, MARK } from "./scene.ts";

const path = fc.stringMatching(/^[a-z0-9/._~-]{0,240}$/);
const issuer = path.map((text) => `https://a.example/${text}x`.slice(0, 255));

describe("the mark in a description", () => {
  it("is two words that name kubeassume and the issuer", () => {
    expect(withMark("", ISSUER)).toBe(MARK);
    expect(withMark(undefined, ISSUER)).toBe(MARK);
    expect(readMarks(MARK)).toEqual({ managed: true, issuer: ISSUER });
  });

  it("stands behind what the operator wrote, which stays", () => {
    expect(withMark("Federation of prod.", ISSUER)).toBe(`Federation of prod. ${MARK}`);
    expect(withMark("Two lines\n", ISSUER)).toBe(`Two lines\n${MARK}`);
  });

  it("is written once: a description that has it stays as it is, also with words around it and for another issuer", () => {
    for (const description of [MARK, `ours: ${MARK} since 2026`, "kubeassume.dev/managed-by=kubeassume"]) expect(withMark(description, "https://other.example")).toBe(description);
  });

  it("is found again for its issuer, however long both are, and never exceeds 256 bytes", () => {
    fc.assert(
      fc.property(issuer, fc.string({ unit: "grapheme", maxLength: 60 }), (name, text) => {
        const description = withMark(text, name);
        fc.pre(description !== null && !text.includes("kubeassume.dev"));
        expect(Buffer.byteLength(description ?? "")).toBeLessThanOrEqual(MAX_DESCRIPTION_BYTES);
        expect(description?.startsWith(text)).toBe(true);
        expect(isMarkedFor(description, name)).toBe(true);
        expect(isMarkedFor(description, `${name}y`)).toBe(false);
        expect(withMark(description, name)).toBe(description);
      }),
    );
  });

  it("tells long issuers apart that begin alike", () => {
    const long = `https://a.example/${"p".repeat(220)}`;
    const description = withMark("", `${long}-one`);
    expect(isMarkedFor(description, `${long}-one`)).toBe(true);
    expect(isMarkedFor(description, `${long}-two`)).toBe(false);
  });

  it("is refused where no room is left, rather than cutting the operator's words", () => {
    expect(withMark("x".repeat(256), ISSUER)).toBeNull();
    expect(withMark("x".repeat(170), ISSUER)).toHaveLength(256);
    expect(withMark("é".repeat(100), ISSUER)).toBeNull();
  });

  it.each([[""], [null], [undefined], ["kubeassume"], ["kubeassume.dev/managed-by=kubeassume2"], ["xkubeassume.dev/managed-by=kubeassume"], [`kubeassume.dev/issuer=${ISSUER}`]])("is not in %j", (description) => {
    expect(readMarks(description).managed).toBe(false);
    expect(isMarkedFor(description, ISSUER)).toBe(false);
  });
});
