import { MetricsError } from './corpus.js';

/** A line of a text, counted from 1; of one over the limit only the length is known, and `text` is empty. */
export interface TextLine {
  /** Counted from 1. */
  readonly number: number;
  /** Without its line break. */
  readonly text: string;
  /** In UTF-16 code units, without what ends the line. */
  readonly length: number;
}

/** Most UTF-16 code units of a line, unless another limit is given. */
export const LINE_LIMIT: number = 2 ** 20;

const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads UTF-8 lines as they arrive: `\n` or `\r\n` ends one, the last may lack both, and a byte order mark at the beginning is
 * dropped. All else, such as form feeds, NUL and U+2028, is text.
 *
 * A line over `limit` is thrown away while it is read, never kept. Fails as `chunks` does, with `INVALID_OPTION` for a limit that
 * is none, and with `INVALID_LINES` where the first byte says that this is UTF-16, or a chunk is neither bytes nor text.
 */
export async function* textLines(
  chunks: AsyncIterable<Uint8Array | string>,
  limit: number = LINE_LIMIT,
): AsyncGenerator<TextLine, void, undefined> {
  if (!Number.isInteger(limit) || limit < 0) {
    throw new MetricsError('INVALID_OPTION', 'limit must be an integer of at least 0.', { received: limit });
  }
  const iterator = iteratorOf(chunks);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let number = 0;
  let pending = '';
  let length = 0;
  let last = '';
  let begun = false;
  let bytes = 0;
  const take = (part: string): void => {
    if (part === '') return;
    length += part.length;
    last = part.charAt(part.length - 1);
    // One more than the limit: it may be the \r that goes.
    pending = length > limit + 1 ? '' : pending + part;
  };
  const finish = (): TextLine => {
    const cut = last === '\r' ? 1 : 0;
    const line = length - cut > limit ? '' : pending.slice(0, length - cut);
    const result = { number: ++number, text: line, length: length - cut };
    pending = '';
    last = '';
    length = 0;
    return result;
  };
  for await (const chunk of { [Symbol.asyncIterator]: () => iterator }) {
    if (typeof chunk !== 'string') {
      if (!isBytes(chunk)) throw notChunks(chunk);
      // No UTF-8 begins so; the byte order mark of UTF-16 does, in either order.
      if (bytes === 0 && (chunk[0] ?? 0) >= 0xfe) throw notUtf8();
      bytes += chunk.length;
    }
    let text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (!begun && text !== '') {
      begun = true;
      if (text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    }
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      take(text.slice(from, end));
      yield finish();
      from = end + 1;
    }
    take(text.slice(from));
  }
  take(decoder.decode());
  if (length > 0) yield finish();
}

/** Throws `INVALID_LINES` for what is no iterable, whatever reading it does. */
function iteratorOf(chunks: AsyncIterable<Uint8Array | string>): AsyncIterator<Uint8Array | string> {
  let iterator: AsyncIterator<Uint8Array | string> | undefined;
  try {
    const given = chunks as Partial<AsyncIterable<Uint8Array | string> & Iterable<Uint8Array | string>>;
    iterator = given[Symbol.asyncIterator]?.() ?? (given[Symbol.iterator]?.() as typeof iterator);
    if (typeof iterator?.next === 'function') return iterator;
  } catch {}
  throw notChunks(chunks);
}

/** Also of another realm; a proxy is no view. */
function isBytes(chunk: unknown): chunk is Uint8Array {
  return ArrayBuffer.isView(chunk) && Object.prototype.toString.call(chunk) === '[object Uint8Array]';
}

function notChunks(received: unknown): MetricsError {
  return new MetricsError(
    'INVALID_LINES',
    `Chunks must be an iterable of bytes and texts, but there was ${received === null ? 'null' : `a value of the type ${typeof received}`}.`,
    { received },
  );
}

function notUtf8(): MetricsError {
  return new MetricsError(
    'INVALID_LINES',
    'The text begins as UTF-16 does, but must be UTF-8. Convert it first: iconv -f UTF-16 -t UTF-8.',
  );
}
