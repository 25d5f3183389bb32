/** One line of a comparison: only before, only after, or in both. */
export interface DiffLine {
  readonly sign: "-" | "+" | " ";
  readonly line: string;
}

/** Above this many pairs of lines, what is between the common ends is shown as replaced: still true, just not the shortest. */
const MOST_PAIRS = 250_000;

/** The shortest way from one text to another, line by line (longest common subsequence); removals before additions. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const same = (lines: readonly string[]) => lines.map((line): DiffLine => ({ sign: " ", line }));
  const middle = diffMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  return [...same(before.slice(0, head)), ...middle, ...same(before.slice(before.length - tail))];
}

function diffMiddle(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const gone = (lines: readonly string[]) => lines.map((line): DiffLine => ({ sign: "-", line }));
  const come = (lines: readonly string[]) => lines.map((line): DiffLine => ({ sign: "+", line }));
  if (before.length * after.length > MOST_PAIRS) return [...gone(before), ...come(after)];
  const longest = commonLengths(before, after);
  const at = (row: number, column: number) => longest[row]?.[column] ?? 0;
  const lines: DiffLine[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push({ sign: " ", line: before[row] ?? "" });
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) lines.push({ sign: "-", line: before[row++] ?? "" });
    else lines.push({ sign: "+", line: after[column++] ?? "" });
  }
  return [...lines, ...gone(before.slice(row)), ...come(after.slice(column))];
}

/** `[i][j]`: how many lines the texts from line i and from line j on have in common. */
function commonLengths(before: readonly string[], after: readonly string[]): readonly (readonly number[])[] {
  const table = Array.from({ length: before.length + 1 }, () => Array.from({ length: after.length + 1 }, () => 0));
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const [here, below] = [table[row] as number[], table[row + 1] as number[]];
      here[column] = before[row] === after[column] ? (below[column + 1] ?? 0) + 1 : Math.max(below[column] ?? 0, here[column + 1] ?? 0);
    }
  }
  return table;
}
