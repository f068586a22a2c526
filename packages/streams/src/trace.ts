import type { DecodeEvent } from '@foretoken/core';

/** What a trace says of itself: what was decoded, how, where, and what its tokens read as. */
export interface TraceHeader {
  readonly type: 'trace';
  /** Version of the format. */
  readonly version: 1;
  /** Name of the strategy; the playground has a label for those that it offers. */
  readonly strategy: string;
  /** Name of what the model does, such as `translate`. */
  readonly task: string;
  /** The text that was decoded. */
  readonly input: string;
  readonly seed: number;
  /** Options of the strategy by name. */
  readonly options: Readonly<Record<string, number>>;
  /** What the output says. */
  readonly text: string;
  /** Where it ran, such as `onnxruntime-web 1.30.0, WebAssembly, 1 thread`. */
  readonly runtime: string;
  /** Which of the measured repeats the events are of. */
  readonly chosen: ChosenRun;
  /** Milliseconds of each measured repeat. */
  readonly repeats: readonly number[];
  /** The token that stands where a canvas is undecided: a mask, or a gap. */
  readonly undecided?: number | undefined;
  /** Text of each token that the events name, a blank before it where a word begins. */
  readonly tokens: Readonly<Record<number, string>>;
  /** The same decode with drafts that are always right and cost nothing: what no drafter can beat on this model. */
  readonly ceiling?: Ceiling | undefined;
}

/** The run of middle duration, or the fastest one where the machine was busy with other things. */
export type ChosenRun = 'middle' | 'fastest';

/** A decode with perfect drafts, measured. */
export interface Ceiling {
  /** Forwards of the target. */
  readonly forwards: number;
  /** The whole decode. */
  readonly milliseconds: number;
}

/** One decode of one source, as it happened. */
export interface Trace {
  /** What was decoded, how and where. */
  readonly header: TraceHeader;
  /** The decoder's events in their order, `decode-end` last. */
  readonly events: readonly DecodeEvent[];
}
