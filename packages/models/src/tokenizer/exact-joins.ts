import { prependScheme, type Settings, SHOWN } from './exact-cuts.js';

/** Turns the texts of tokens into those of an output, one or more. */
type Join = (tokens: readonly string[]) => string[];

/**
 * What a decoder of a tokenizer.json makes of tokens, where the library trims or cleans up otherwise than the original, the crate
 * `tokenizers` (Hugging Face, Apache-2.0); undefined for others.
 */
export function exactJoin(settings: Settings): Join | undefined {
  const { type, cleanup } = settings;
  const cleaned = cleanup === false ? (text: string) => text : cleanedUp;
  switch (type) {
    case 'CTC': {
      const { pad_token: pad = '<pad>', word_delimiter_token: delimiter = '|' } = settings;
      return (tokens) =>
        tokens.flatMap((token, at) => {
          if (token === tokens[at - 1]) return [];
          const text = cleaned(replaced(token, String(pad), ''));
          const spaced = cleanup === false ? text : replaced(text, String(delimiter), ' ');
          return spaced === '' ? [] : [spaced];
        });
    }
    case 'BPEDecoder': {
      const suffix = String(settings.suffix ?? '</w>');
      return (tokens) => tokens.map((token, at) => replaced(token, suffix, at === tokens.length - 1 ? '' : ' '));
    }
    case 'WordPiece': {
      const prefix = String(settings.prefix ?? '##');
      return (tokens) =>
        tokens.map((token, at) => {
          if (at === 0) return cleaned(token);
          return cleaned(token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`);
        });
    }
    case 'Strip': {
      const { content, start = 0, stop = 0 } = settings;
      return (tokens) =>
        tokens.map((token) => {
          const signs = [...token];
          let [begin, end] = [0, signs.length];
          while (begin < Number(start) && signs[begin] === content) begin++;
          while (signs.length - end < Number(stop) && end > begin && signs[end - 1] === content) end--;
          return signs.slice(begin, end).join('');
        });
    }
    case 'Metaspace': {
      const sign = String(settings.replacement ?? '\u2581');
      const isPut = prependScheme(settings) !== 'never';
      return (tokens) => tokens.map((token, at) => token.replaceAll(sign, at === 0 && isPut ? '' : ' '));
    }
    case 'ByteFallback':
      return bytesJoined;
    case 'ByteLevel':
      return (tokens) => [lossy.decode(Uint8Array.from(tokens.flatMap(bytesOf)))];
    default:
      return undefined;
  }
}

const lossy = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** Bytes in a row become the text they are; where they are none, each becomes a sign of its own. */
function bytesJoined(tokens: readonly string[]): string[] {
  const texts: string[] = [];
  let bytes: number[] = [];
  const end = (): void => {
    if (bytes.length > 0) texts.push(textOf(bytes) ?? '\ufffd'.repeat(bytes.length));
    bytes = [];
  };
  for (const token of tokens) {
    const [, hex] = /^<0x([0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/.exec(token) ?? [];
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else {
      end();
      texts.push(token);
    }
  }
  end();
  return texts;
}

function textOf(bytes: readonly number[]): string | undefined {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

const BYTE_OF: ReadonlyMap<string, number> = new Map(SHOWN.map((sign, byte) => [sign, byte]));

/** The bytes that a token shows; those of its text where a sign of it shows none. */
function bytesOf(token: string): readonly number[] {
  const bytes = Array.from(token, (sign) => BYTE_OF.get(sign));
  return bytes.every((byte) => byte !== undefined) ? bytes : [...new TextEncoder().encode(token)];
}

/** An empty text is found around every character. */
const replaced = (text: string, searched: string, content: string): string =>
  searched === '' ? text.replace(/(?:)/gu, content) : text.replaceAll(searched, () => content);

/** What is written apart in tokens and together in English, one after the other. */
const TOGETHER = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;

const cleanedUp = (text: string): string =>
  TOGETHER.reduce((before, [apart, together]) => before.replaceAll(apart, together), text);
