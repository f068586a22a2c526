import { LINE_LIMIT } from '@foretoken/metrics';
import { usageError } from './errors.js';

/** A line with what ends it, so that lines put together again are the text, byte by byte. */
export interface RawLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** `\n`, `\r\n`, or nothing at the end of the text. */
  readonly ending: string;
  /** It is only a part of a line that is too long to be held; the next part has the same number. */
  readonly cut: boolean;
}

/**
 * Lines of UTF-8 as they arrive; a line over the limit comes in parts. Throws `INVALID_ARGUMENT` for what is no UTF-8, since it
 * could not be written again as it was.
 */
export async function* rawLines(
  chunks: AsyncIterable<Uint8Array | string>,
  limit: number = LINE_LIMIT,
): AsyncGenerator<RawLine, void, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
  let number = 1;
  let pending = '';
  let cut = false;
  for await (const chunk of chunks) {
    pending += typeof chunk === 'string' ? chunk : decoded(decoder, chunk, number);
    let from = 0;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n', from)) {
      const last = end > from && pending[end - 1] === '\r' ? end - 1 : end;
      const text = pending.slice(from, last);
      yield { number: number++, text, ending: pending.slice(last, end + 1), cut: cut || text.length > limit };
      cut = false;
      from = end + 1;
    }
    pending = pending.slice(from);
    // The last unit may be half of a character, or the beginning of a line's end.
    if (pending.length > limit + 1) {
      yield { number, text: pending.slice(0, -1), ending: '', cut: true };
      pending = pending.slice(-1);
      cut = true;
    }
  }
  pending += decoded(decoder, undefined, number);
  if (pending !== '') yield { number, text: pending, ending: '', cut };
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array | undefined, line: number): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw usageError(
      `The text is not UTF-8, at line ${line} or soon after. Convert it first, for example: iconv -f LATIN1 -t UTF-8.`,
      { line },
    );
  }
}
