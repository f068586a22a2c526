import type { OpenOptions, TokenSource } from '@foretoken/core';
import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import { frameFeeds } from './frame-feeds.js';
import type { LengthHead } from './length-head.js';
import type { MarianEncoder } from './marian-encoder.js';
import { SourceReading } from './source-reading.js';

/**
 * How a network on canvases reads sources: an encoder, and the graph that makes its own keys and values of the states.
 */
export interface SourceGraphs {
  readonly encoder: MarianEncoder;
  readonly open: () => Promise<GraphSession>;
  readonly width: number;
  readonly lengths?: LengthHead;
  /** How canvases read the CTC student's best path, where they do. */
  readonly draft?: DraftReading;
}

/** The graph makes drafts of `upsample` frames for each state; a canvas has `shift` positions before its draft. */
export interface DraftReading {
  readonly upsample: number;
  readonly shift: number;
}

/** A batch of sources, ready for canvases. */
export interface OpenedSources {
  readonly reading: SourceReading;
  readonly sourceLengths: Int32Array;
  /** Unnormalised scores, `[rows, classes]`, where there is a length head. */
  readonly lengthLogits?: Float32Array;
}

/** Encodes sources, or reuses their encoding, and computes once what all rounds read of them. Throws as `encode` does. */
export async function openSources(
  runtime: OnnxRuntime,
  { encoder, open, width, lengths, draft }: SourceGraphs,
  sources: readonly TokenSource[],
  { encoding: given, signal }: OpenOptions,
): Promise<OpenedSources> {
  signal?.throwIfAborted();
  const encoding = await encoder.reuseOrEncode(sources, given, signal);
  const session = await open();
  signal?.throwIfAborted();
  const { rows, sourceLength, states, mask, lengths: sourceLengths } = encoding;
  const outputs = await session.run({
    states: new runtime.Tensor('float32', states, [rows, sourceLength, width]),
    // A graph refuses inputs that it does not have.
    ...(lengths === undefined ? {} : { source_mask: new runtime.Tensor('int32', mask, [rows, sourceLength]) }),
    ...(draft === undefined ? {} : frameFeeds(runtime, sourceLengths, sourceLength, draft.upsample)),
  });
  const lengthLogits = outputs.length_logits?.data as Float32Array | undefined;
  const drafts = draft && {
    values: outputs.draft?.data as Float32Array,
    time: sourceLength * draft.upsample,
    width,
    shift: draft.shift,
  };
  return {
    reading: new SourceReading(runtime, outputs.cross?.data as Float32Array, encoding, width, drafts),
    sourceLengths,
    ...(lengthLogits === undefined ? {} : { lengthLogits }),
  };
}
