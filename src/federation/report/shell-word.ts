/** A word of a command line to copy: quoted for a POSIX shell, but only where it must be. */
export function toShellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : inQuotes(word);
}

/** Inside single quotes, a shell reads everything as it is but the quote itself. */
export function inQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
