import type { CanvasOpenOptions, TokenSource } from '@foretoken/core';
import { MAX_FORWARD_CELLS, maxScoredCells } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import { assertDrafts, type DraftLattice, draftFeed, unreadDrafts } from './draft-paths.js';
import { frameFeeds } from './frame-feeds.js';
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
  readonly lengths?: LengthHead;
  /** How canvases read the CTC student's drafts, where they do. */
  readonly draft?: DraftReading;
}

/** The graph makes drafts of `upsample` frames for each state; a canvas has `shift` positions before its draft. */
export interface DraftReading extends DraftLattice {
  readonly shift: number;
  /** In the place of `open`, where drafts are given. */
  readonly openDrafts: () => Promise<GraphSession>;
}

/** A batch of sources, ready for canvases. */
export interface OpenedSources {
  readonly reading: SourceReading;
  readonly sourceLengths: Int32Array;
  /** Unnormalised scores, `[rows, classes]`, where there is a length head. */
  readonly lengthLogits?: Float32Array;
  /** Tokens of each row's draft, where drafts are read. */
  readonly draftLengths?: Float32Array;
}

/**
 * Encodes sources, or reuses their encoding, and computes once what all rounds read of them. Throws as `encode` does, and
 * `INVALID_ARGUMENT` and `UNSUPPORTED_CAPABILITY` for drafts that are none or cannot be read.
 */
export async function openSources(
  runtime: OnnxRuntime,
  { encoder, open, width, lengths, draft }: SourceGraphs,
  sources: readonly TokenSource[],
  { encoding: given, drafts: paths, signal }: CanvasOpenOptions,
): Promise<OpenedSources> {
  signal?.throwIfAborted();
  if (paths !== undefined) {
    if (draft === undefined) throw unreadDrafts();
    assertDrafts(paths, encoder.lengthsOf(sources), draft);
  }
  const encoding = await encoder.reuseOrEncode(sources, given, signal);
  const session = await (paths !== undefined && draft !== undefined ? draft.openDrafts() : open());
  const { sourceLength, lengths: sourceLengths } = encoding;
  const sizes: Record<string, (time: number) => number> = {
    cross: (time) => time * width,
    ...(draft === undefined ? {} : { draft: (time) => time * draft.upsample * width, draft_length: () => 1 }),
    ...(lengths === undefined ? {} : { length_logits: () => lengths.classes }),
  };
  // Keys and values alone cost next to nothing, padding or not; drafts cost what padding costs.
  const whole = draft === undefined && sourceLengths.length * sourceLength <= MAX_FORWARD_CELLS;
  const maxCells = draft === undefined ? MAX_FORWARD_CELLS : maxScoredCells(draft.vocabularySize) / draft.upsample;
  const groups = whole ? [[...sourceLengths.keys()]] : groupsByLength(sourceLengths, maxCells);
  const values = await inGroups(sourceLengths, groups, sizes, async (group, time) => {
    signal?.throwIfAborted();
    const ownLengths = Int32Array.from(group, (row) => sourceLengths[row] as number);
    // Without drafts there are no frames.
    const { source_mask, ...frames } = frameFeeds(runtime, ownLengths, time, draft?.upsample ?? 0);
    const outputs = await session.run({
      states: new runtime.Tensor('float32', encoding.statesOf(group, time), [group.length, time, width]),
      // A graph refuses inputs that it does not have.
      ...(lengths === undefined && draft === undefined ? {} : { source_mask }),
      ...(draft === undefined ? {} : frames),
      ...(paths === undefined || draft === undefined ? {} : draftFeed(runtime, paths, group, time * draft.upsample)),
    });
    return Object.fromEntries(Object.keys(sizes).map((name) => [name, outputs[name]?.data as Float32Array]));
  });
  const drafts = draft && {
    values: values.draft as Float32Array,
    time: sourceLength * draft.upsample,
    width,
    shift: draft.shift,
  };
  return {
    reading: new SourceReading(runtime, values.cross as Float32Array, encoding, width, drafts),
    sourceLengths,
    ...(values.draft_length === undefined ? {} : { draftLengths: values.draft_length }),
    ...(values.length_logits === undefined ? {} : { lengthLogits: values.length_logits }),
  };
}
