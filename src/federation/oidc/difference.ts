/** Where two strings part, for messages about exact comparisons. */
export interface Difference {
  readonly wanted: string;
  readonly got: string;
  /** Number of leading characters that agree. */
  readonly position: number;
  /** One clause, such as `first difference at character 25: "/" instead of the end`. */
  readonly words: string;
}

/** Marks the first character in which two different strings disagree; null when they are equal. */
export function differenceOf(wanted: string, got: string): Difference | null {
  if (wanted === got) return null;
  const left = [...wanted];
  const right = [...got];
  let position = 0;
  while (position < left.length && left[position] === right[position]) position += 1;
  const words = `first difference at character ${position + 1}: ${nameOf(right[position])} instead of ${nameOf(left[position])}`;
  return { wanted, got, position, words };
}

function nameOf(character: string | undefined): string {
  return character === undefined ? "the end" : JSON.stringify(character);
}
