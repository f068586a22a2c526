import { CONFIG, GENERATION_CONFIG, type ImportNote, printableValue, quote } from '@foretoken/models/internal';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Joins what a folder's own config.json says of decoding, in the words of transformers, with what generation_config.json beside it
 * says. CTranslate2 reads the first alone, so its values count; lists of tokens are joined. Notes say where the two differ.
 */
export function joinGeneration(
  own: Fields,
  told: Fields | undefined,
): { readonly generationConfig: Fields; readonly notes: readonly ImportNote[] } {
  const joined: Record<string, unknown> = { ...told };
  const notes: ImportNote[] = [];
  for (const [field, mine] of Object.entries(own)) {
    if (mine === undefined || mine === null) continue;
    const theirs = told?.[field];
    const lists = Array.isArray(mine);
    const listed = asList(theirs);
    joined[field] = lists ? [...mine, ...listed] : mine;
    if (listed.length === 0) continue;
    const texts = new Set(listed.map(textOf));
    const isSame = lists ? mine.every((item) => texts.has(textOf(item))) : texts.size === 1 && texts.has(textOf(mine));
    if (!isSame) notes.push(noteOf(field, mine, theirs, lists ? 'which counts too' : 'which counts'));
  }
  return { generationConfig: joined, notes };
}

function noteOf(field: string, mine: unknown, theirs: unknown, what: string): ImportNote {
  const message = `${GENERATION_CONFIG} has ${field} = ${quote(theirs)}. ${CONFIG} of CTranslate2 says ${quote(mine)}, ${what}.`;
  return { file: GENERATION_CONFIG, field, received: printableValue(theirs), message };
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** What two values have in common that are the same; nested too deep to be compared, they are not. */
function textOf(value: unknown): unknown {
  try {
    return JSON.stringify(value);
  } catch {
    return value;
  }
}
