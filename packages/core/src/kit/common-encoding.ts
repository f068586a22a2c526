import type { SourceEncoder, SourceEncoding } from '../contract/encoding.js';

/** The sources' encoding, where both models have the same encoder, so that it runs once; the caller disposes of it. */
export async function commonEncoding<Source>(
  one: { readonly encoder?: SourceEncoder<Source> | undefined },
  other: { readonly encoder?: SourceEncoder<Source> | undefined } | undefined,
  sources: readonly Source[],
  signal: AbortSignal | undefined,
): Promise<SourceEncoding | undefined> {
  return one.encoder === other?.encoder ? one.encoder?.encode(sources, signal) : undefined;
}
