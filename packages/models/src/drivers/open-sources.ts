import type { CanvasOpenOptions, TokenSource } from '@foretoken/core';
import { MAX_FORWARD_CELLS, maxScoredCells } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { frameFeeds } from './frame-feeds.js';
import { assertHints, type HintLattice, hintFeed, unreadHints } from './hint-paths.js';
import { groupsByLength, inGroups } from './length-groups.js';
import type { LengthHead } from './length-head.js';
import { SourceReading } from './source-reading.js';
import type { TokenEncoder } from './token-encoder.js';

/**
 * How a network on canvases reads sources: an encoder, and the graph that makes its own keys and values of the states.
 */
export interface SourceGraphs {
  readonly encoder: TokenEncoder;
  readonly open: () => Promise<GraphSession>;
  readonly width: number;
  readonly lengths?: LengthHead | undefined;
  /** How canvases read the CTC student's hints, where they do. */
  readonly hint?: HintReading | undefined;
}

/** The graph makes hints of `upsample` frames for each state; a canvas has `shift` positions before its hint. */
export interface HintReading extends HintLattice {
  readonly shift: number;
  /** In the place of `open`, where hints are given. */
  readonly openHints: () => Promise<GraphSession>;
}

/** A batch of sources, ready for canvases. */
export interface OpenedSources {
  readonly reading: SourceReading;
  readonly sourceLengths: Int32Array;
  /** Unnormalised scores, `[rows, classes]`, where there is a length head. */
  readonly lengthLogits?: Float32Array | undefined;
  /** Tokens of each row's hint, where hints are read. */
  readonly hintLengths?: Float32Array | undefined;
}

/**
 * Encodes sources, or reuses their encoding, and computes once what all rounds read of them. Throws as `encode` does, and
 * `INVALID_ARGUMENT` and `UNSUPPORTED_CAPABILITY` for hints that are none or cannot be read.
 */
export async function openSources(
  runtime: OnnxRuntime,
  { encoder, open, width, lengths, hint }: SourceGraphs,
  sources: readonly TokenSource[],
  { encoding: given, hints: paths, signal }: CanvasOpenOptions,
): Promise<OpenedSources> {
  if (paths !== undefined) {
    if (hint === undefined) throw unreadHints();
    assertHints(paths, encoder.lengthsOf(sources), hint);
  }
  const encoding = await encoder.reuseOrEncode(sources, given, signal);
  const session = await (paths !== undefined && hint !== undefined ? hint.openHints() : open());
  const { sourceLength, lengths: sourceLengths } = encoding;
  const sizes: Record<string, (time: number) => number> = { cross: (time) => time * width };
  if (hint !== undefined) {
    sizes.hints = (time) => time * hint.upsample * width;
    sizes.hints_length = () => 1;
  }
  if (lengths !== undefined) sizes.length_logits = () => lengths.classes;
  // Keys and values alone cost next to nothing, padding or not; hints cost what padding costs.
  const whole = hint === undefined && sourceLengths.length * sourceLength <= MAX_FORWARD_CELLS;
  const maxCells = hint === undefined ? MAX_FORWARD_CELLS : maxScoredCells(hint.vocabularySize) / hint.upsample;
  const groups = whole ? [[...sourceLengths.keys()]] : groupsByLength(sourceLengths, maxCells);
  const values = await inGroups(sourceLengths, groups, sizes, async (group, time) => {
    signal?.throwIfAborted();
    const ownLengths = Int32Array.from(group, (row) => sourceLengths[row]);
    // Without hints there are no frames.
    const { source_mask, ...frames } = frameFeeds(runtime, ownLengths, time, hint?.upsample ?? 0);
    const feeds: Record<string, Tensor> = {
      states: new runtime.Tensor('float32', encoding.statesOf(group, time), [group.length, time, width]),
    };
    // A graph refuses inputs that it does not have.
    if (lengths !== undefined || hint !== undefined) feeds.source_mask = source_mask;
    if (hint !== undefined) {
      Object.assign(feeds, frames);
      if (paths !== undefined) Object.assign(feeds, hintFeed(runtime, paths, group, time * hint.upsample));
    }
    const outputs = await session.run(feeds);
    return Object.fromEntries(Object.keys(sizes).map((name) => [name, outputs[name]?.data as Float32Array]));
  });
  const hints = hint && {
    values: values.hints,
    time: sourceLength * hint.upsample,
    width,
    shift: hint.shift,
  };
  return {
    reading: new SourceReading(runtime, values.cross, encoding, width, hints),
    sourceLengths,
    hintLengths: values.hints_length,
    lengthLogits: values.length_logits,
  };
}
