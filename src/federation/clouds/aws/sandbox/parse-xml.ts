/** A parsed element: text, or its children by name. A name that repeats gives an array. */
export type ParsedXml = string | { readonly [name: string]: ParsedXml | readonly ParsedXml[] };

type Members = Record<string, ParsedXml | ParsedXml[]>;
interface Open {
  readonly name: string;
  readonly members: Members;
  text: string;
}

/** What a document is made of, in this order at every place; anything else is not well-formed. */
const TOKEN = /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([\w.:-]+)\s*>|<([\w.:-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;

/**
 * Parses a small request document; null when it is not well-formed. Attributes and namespaces are left out, text is
 * trimmed. A document type is refused, as S3 does: its entities are a way to make a small body a large one.
 */
export function parseXml(text: string): Readonly<Record<string, ParsedXml | readonly ParsedXml[]>> | null {
  const document: Open = { name: "", members: Object.create(null) as Members, text: "" };
  const open = [document];
  TOKEN.lastIndex = text.startsWith("\uFEFF") ? 1 : 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    const top = open.at(-1);
    if (match === null || top === undefined) return null;
    const [, data, closing, opening, , slash, words] = match;
    if (words !== undefined) {
      const decoded = decode(words);
      if (decoded === null) return null;
      top.text += decoded;
    } else if (data !== undefined) top.text += data;
    else if (opening !== undefined) {
      const element: Open = { name: opening, members: Object.create(null) as Members, text: "" };
      if (slash === "/") add(top, element);
      else open.push(element);
    } else if (closing !== undefined) {
      open.pop();
      const parent = open.at(-1);
      if (parent === undefined || top.name !== closing) return null;
      add(parent, top);
    }
  }
  const roots = Object.values(document.members);
  return open.length === 1 && roots.length === 1 && !Array.isArray(roots[0]) && document.text.trim() === "" ? document.members : null;
}

function add(parent: Open, { name, members, text }: Open): void {
  const local = name.slice(name.indexOf(":") + 1);
  const value = Object.keys(members).length > 0 ? members : text.trim();
  const there = parent.members[local];
  if (there === undefined) parent.members[local] = value;
  else if (Array.isArray(there)) there.push(value);
  else parent.members[local] = [there, value];
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Null when there is an entity that XML itself does not define. */
function decode(text: string): string | null {
  let known = true;
  const decoded = text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const code = /^#x[0-9a-f]{1,6}$/i.test(name) ? Number.parseInt(name.slice(2), 16) : /^#\d{1,7}$/.test(name) ? Number(name.slice(1)) : -1;
    const character = NAMED[name] ?? (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined);
    if (character === undefined || !whole.endsWith(";")) known = false;
    return character ?? "";
  });
  return known ? decoded : null;
}
