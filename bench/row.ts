/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What `ratio` is against, measured in the same run; null where there is nothing to compare with. */
  readonly reference: string | null;
  readonly ratio: number | null;
  /** In words, as the table shows it; empty where there is none. */
  readonly goal: string;
  /** Null without a goal. */
  readonly met: boolean | null;
}

/** A measured value alone; `most` is the goal. */
export function measured(name: string, value: number, unit: string, most?: number): Row {
  return { name, value, unit, reference: null, ratio: null, goal: most === undefined ? "" : `at most ${format(most)} ${unit}`, met: most === undefined ? null : value <= most };
}

/** A value as a multiple of a reference; `most` is the goal of that ratio. */
export function against(name: string, value: number, unit: string, reference: { readonly name: string; readonly value: number }, most?: number): Row {
  const ratio = value / reference.value;
  return { name, value, unit, reference: reference.name, ratio, goal: most === undefined ? "" : `at most ${format(most)}x`, met: most === undefined ? null : ratio <= most };
}

export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${format(row.value)} ${row.unit}`,
    row.ratio === null ? "" : `${row.ratio.toFixed(2)}x of ${row.reference ?? ""}`,
    row.goal,
    row.met === null ? "" : row.met ? "met" : "missed",
  ]);
  const line = (words: readonly string[]) => `| ${words.join(" | ")} |`;
  return [line(["What", "Measured", "Compared", "Goal", ""]), "|---|---|---|---|---|", ...cells.map(line)].join("\n");
}

function format(value: number): string {
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
