export const END = 0;
export const utf8 = new TextEncoder();

/** Byte-level: a token is a byte or a run of bytes, and a character may need several. */
export const BYTES: readonly (readonly number[])[] = [
  [],
  ...['a', 'b', ' ', 'ST', 'OP', 'STOP', 'é', '好', '🙂', ' a'].map((text) => [...utf8.encode(text)]),
  ...[...utf8.encode('é好🙂')].map((byte) => [byte]),
];

const PIECES = ['', '▁a', 'b', '▁', '▁ST', 'OP', 'S', 'TOP', '▁STOP', 'é', '.'];
const WORDS = ['', 'a', '##b', '##ST', '##OP', 'ST', 'OP', '##', 'n', "'", 't', '.'];

/** Token id 1 stands for no text in each, as special tokens do. */
export const TOKENIZERS: Readonly<Record<string, { size: number; decode(ids: readonly number[]): string }>> = {
  'byte-level': {
    size: BYTES.length,
    decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids.flatMap((id) => (id === 1 ? [] : BYTES[id])))),
  },
  'byte-level that leaves out unfinished characters': {
    size: BYTES.length,
    decode: (ids) =>
      new TextDecoder().decode(Uint8Array.from(ids.flatMap((id) => (id === 1 ? [] : BYTES[id]))), { stream: true }),
  },
  SentencePiece: {
    size: PIECES.length,
    decode: (ids) =>
      ids
        .map((id) => (id === 1 ? '' : PIECES[id]))
        .join('')
        .replaceAll('▁', ' ')
        .replace(/^ /, ''),
  },
  'SentencePiece, trimmed at both ends': {
    size: PIECES.length,
    decode: (ids) =>
      ids
        .map((id) => (id === 1 ? '' : PIECES[id]))
        .join('')
        .replaceAll('▁', ' ')
        .trim(),
  },
  WordPiece: {
    size: WORDS.length,
    decode: (ids) =>
      ids
        .filter((id) => id !== 1)
        .map((id, index) => (WORDS[id].startsWith('##') && index > 0 ? WORDS[id].slice(2) : ` ${WORDS[id]}`))
        .join('')
        .trim(),
  },
  'WordPiece with clean-up': {
    size: WORDS.length,
    decode: (ids) =>
      ids
        .filter((id) => id !== 1)
        .map((id, index) => (WORDS[id].startsWith('##') && index > 0 ? WORDS[id].slice(2) : ` ${WORDS[id]}`))
        .join('')
        .trim()
        .replaceAll(' .', '.')
        .replaceAll(" n ' t", "n't"),
  },
  // A run of bytes reads as replacement characters, one a byte, until the whole run is UTF-8.
  'byte fallback': {
    size: 12,
    decode(ids) {
      const bytes = [...utf8.encode('好🙂')];
      const pieces = ['', '', '▁a', 'STOP', 'b'];
      let text = '';
      for (let at = 0; at < ids.length; ) {
        const run: number[] = [];
        while (at < ids.length && ids[at] >= pieces.length) run.push(bytes[(ids[at++] - pieces.length) % bytes.length]);
        try {
          text += new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(run));
        } catch {
          text += '\uFFFD'.repeat(run.length);
        }
        if (at < ids.length) text += pieces[ids[at++]];
      }
      return text.replaceAll('▁', ' ').replace(/^ /, '');
    },
  },
};
