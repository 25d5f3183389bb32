import { defineCodes, EXIT } from "../../errors/error.ts";

/** Codes of what every cloud's judge reads. */
export const judgeCodes = defineCodes({
  TRUST_FILE_MALFORMED: {
    exit: EXIT.input,
    summary: "the trust file does not hold the records of the cloud in the cloud's own shape",
    why: "verify judges by the records as the cloud's own API returns them. The file is not JSON, or a member is missing or of another type.",
    fix: "write the answers of the cloud's own API into one JSON object; the hint of the error names its members",
  },
});
