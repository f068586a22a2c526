import { prependScheme, type Settings, SHOWN } from './exact-cuts.js';

/** Turns the texts of tokens into those of an output, one or more. */
export type Join = (tokens: readonly string[]) => string[];

/**
 * What a decoder of a tokenizer.json makes of tokens, where the library trims or cleans up otherwise than the original, the crate
 * `tokenizers` (Hugging Face, Apache-2.0); undefined for others. `wordJoin` says it of those that join words.
 */
export function exactJoin(settings: Settings, wordJoin?: (settings: Settings) => Join | undefined): Join | undefined {
  switch (settings.type) {
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
      return wordJoin?.(settings);
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
