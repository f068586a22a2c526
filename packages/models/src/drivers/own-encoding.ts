import { ForetokenError, type SourceEncoding } from '@foretoken/core';

/** An encoding that knows which encoder made it. */
export interface OwnedEncoding extends SourceEncoding {
  readonly owner: unknown;
  readonly disposed: boolean;
}

/**
 * An encoding that a model was given, where its own encoder made it of so many sources. Throws `INVALID_ARGUMENT`, `DISPOSED`.
 */
export function ownEncoding<Encoding extends OwnedEncoding>(
  Kind: abstract new (...args: never[]) => Encoding,
  owner: unknown,
  encoding: SourceEncoding,
  sources: number,
): Encoding {
  if (!(encoding instanceof Kind) || encoding.owner !== owner) {
    throw new ForetokenError('INVALID_ARGUMENT', 'The encoding was made by another encoder than this model’s own.', {
      option: 'encoding',
    });
  }
  if (encoding.disposed) throw new ForetokenError('DISPOSED', 'The source encoding was disposed of.', {});
  if (encoding.rows !== sources) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The encoding has ${encoding.rows} rows, but there are ${sources} sources.`,
      { option: 'encoding', received: encoding.rows, required: sources },
    );
  }
  return encoding;
}
