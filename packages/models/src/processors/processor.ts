import type { Hypothesis, TokenSource } from '@foretoken/core';

/** What a model reads of one input. */
export interface SourceReading<Source = TokenSource> {
  /** What the model reads. */
  readonly source: Source;
  /** Tokens that the output begins with, where the input is the beginning of an output. */
  readonly outputPrefix?: Int32Array | undefined;
  /** How many tokens stand for something that the model does not know; default 0. */
  readonly unknownTokens?: number | undefined;
}

/** What a text model gives. */
export interface TextOutput {
  /** The output as text. */
  readonly text: string;
}

/**
 * Turns what a user gives into what a model reads, and outputs back into what a user wants: text, times, numbers. A tokenizer is one
 * thing that it may use.
 */
export interface Processor<Input = string, Output extends object = TextOutput, Source = TokenSource> {
  /** What one input is, in words, for messages; such as `a text`. */
  readonly input: string;
  /** Whether a value is one input. An array of inputs that is no input itself is a batch. */
  isInput(value: unknown): value is Input;
  /** Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT` for an input that the model cannot read. */
  read(input: Input): SourceReading<Source> | Promise<SourceReading<Source>>;
  /** What a hypothesis of this source says; its fields are added to those of the hypothesis. */
  write(hypothesis: Hypothesis, source: Source): Output;
  /** Text of output tokens; without it there are no streams of text and no stop strings. */
  readonly textOf?: ((tokenIds: ArrayLike<number>) => string) | undefined;
  /** Tokens of a text that an output holds, without an end token; without it texts are refused as `initialOutputs`. */
  readonly readOutput?: ((text: string) => Int32Array) | undefined;
  /** Tokens beside the vocabulary's end token that end an output, as its last token. */
  readonly stopTokenIds?: readonly number[] | undefined;
}
