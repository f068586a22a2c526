import type { OpenOptions, TokenSource } from '@foretoken/core';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { frameFeeds } from './frame-feeds.js';
import { groupsByLength, scatter } from './length-groups.js';
import type { LengthHead } from './length-head.js';
import type { MarianEncoder, MarianEncoding } from './marian-encoder.js';
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
  const { sourceLength, lengths: sourceLengths } = encoding;
  const forward = async (group: readonly number[], time: number): Promise<Readonly<Record<string, Tensor>>> => {
    signal?.throwIfAborted();
    const ownLengths = Int32Array.from(group, (row) => sourceLengths[row] as number);
    // Without drafts there are no frames.
    const { source_mask, ...frames } = frameFeeds(runtime, ownLengths, time, draft?.upsample ?? 0);
    return session.run({
      states: new runtime.Tensor('float32', encoding.statesOf(group, time), [group.length, time, width]),
      // A graph refuses inputs that it does not have.
      ...(lengths === undefined && draft === undefined ? {} : { source_mask }),
      ...(draft === undefined ? {} : frames),
    });
  };
  // Keys and values alone cost next to nothing, padding or not; drafts cost what padding costs.
  const groups = draft === undefined ? [] : groupsByLength(sourceLengths);
  const outputs =
    groups.length > 1
      ? await inGroups(groups, forward, encoding, width)
      : valuesOf(await forward([...sourceLengths.keys()], sourceLength));
  const { cross, lengthLogits, draft: values } = outputs;
  const drafts = draft && {
    values: values as Float32Array,
    time: sourceLength * draft.upsample,
    width,
    shift: draft.shift,
  };
  return {
    reading: new SourceReading(runtime, cross, encoding, width, drafts),
    sourceLengths,
    ...(lengthLogits === undefined ? {} : { lengthLogits }),
  };
}

/** What the graph says of a batch of sources. */
interface SourceValues {
  /** `[2 * layers, rows, time, width]`. */
  readonly cross: Float32Array;
  /** `[rows, upsample * time, width]`. */
  readonly draft?: Float32Array;
  /** `[rows, classes]`. */
  readonly lengthLogits?: Float32Array;
}

function valuesOf({ cross, draft, length_logits: logits }: Readonly<Record<string, Tensor>>): SourceValues {
  return {
    cross: cross?.data as Float32Array,
    ...(draft === undefined ? {} : { draft: draft.data as Float32Array }),
    ...(logits === undefined ? {} : { lengthLogits: logits.data as Float32Array }),
  };
}

/** Sources of similar length share a forward; the whole batch is put together of them. */
async function inGroups(
  groups: readonly (readonly number[])[],
  forward: (group: readonly number[], time: number) => Promise<Readonly<Record<string, Tensor>>>,
  { rows, sourceLength, lengths }: MarianEncoding,
  width: number,
): Promise<SourceValues> {
  const whole: { -readonly [name in keyof SourceValues]?: Float32Array } = {};
  for (const group of groups) {
    const time = lengths[group[0] as number] as number;
    const part = valuesOf(await forward(group, time));
    const put = (name: keyof SourceValues, partSize: number, size: number): void => {
      const values = part[name];
      if (values === undefined) return;
      const parts = values.length / (group.length * partSize);
      whole[name] ??= new Float32Array(parts * rows * size);
      scatter(values, partSize, group, { all: whole[name], rows, size });
    };
    const perTime = (part.draft?.length ?? 0) / (group.length * time);
    const classes = (part.lengthLogits?.length ?? 0) / group.length;
    put('cross', time * width, sourceLength * width);
    put('draft', time * perTime, sourceLength * perTime);
    put('lengthLogits', classes, classes);
  }
  return whole as SourceValues;
}
