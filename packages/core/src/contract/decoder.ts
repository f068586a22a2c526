import type { DecodeEvent } from './events.js';
import type { StopStrings } from './scoring.js';
import type { OutputKind } from './token-tree.js';

/** What to decode and when to stop. Every field is validated before any compute. */
export interface DecodeRequest<Source> {
  /** One output is produced for each row; at least one. */
  readonly sources: readonly Source[];
  /**
   * Maximum of new tokens, of all rows or one number a row; end token and tokens of `outputPrefixes` are not counted. Default and
   * upper bound: what the model can hold.
   */
  readonly maxNewTokens?: number | readonly number[] | undefined;
  /**
   * Minimum of new tokens, of all rows or one number a row, default 0: before, the end token is not chosen, and stop conditions that
   * are met are passed over.
   * A strategy that does not write from left to right refuses it with `UNSUPPORTED_CAPABILITY`.
   */
  readonly minNewTokens?: number | readonly number[] | undefined;
  /**
   * Positions of each row's canvas, or of its path through a DAG lattice, of all rows or one number a row; a given prefix and an
   * end token are among them. Where they are given, no length is predicted.
   * A strategy whose outputs have no length beforehand refuses them with `UNSUPPORTED_CAPABILITY`.
   */
  readonly lengths?: number | readonly number[] | undefined;
  /** Token sequences that end a hypothesis as soon as its output ends with one of them. */
  readonly stopSequences?: readonly Int32Array[] | undefined;
  /** Strings that end a hypothesis with the token that completes one of them. */
  readonly stopStrings?: StopStrings | undefined;
  /**
   * Output tokens each row must begin with, one array a row, possibly empty; they are output, but no new tokens, and do not
   * count in scores.
   * A strategy that cannot start inside an output refuses them with `UNSUPPORTED_CAPABILITY`.
   */
  readonly outputPrefixes?: readonly Int32Array[] | undefined;
  /**
   * Outputs to start from, one array a row, possibly empty: an earlier translation, a text to be edited. Without end tokens.
   * A strategy that starts from nothing refuses them with `UNSUPPORTED_CAPABILITY`.
   */
  readonly initialOutputs?: readonly Int32Array[] | undefined;
  /**
   * Seed of every random choice, an unsigned 32-bit integer, default 0; strategies without random choices do not depend on
   * it. A row's choices depend on the seed and the row's source alone, never on the batch around it.
   */
  readonly seed?: number | undefined;
  /** Stops further forwards; the iteration then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What of a request not every strategy can use. */
export type OptionalField = 'minNewTokens' | 'outputPrefixes' | 'initialOutputs' | 'lengths';

/** What a decoder needs of its model, checked before the first forward. */
export type Requirements =
  | {
      readonly model: 'autoregressive';
      /** Outputs that it may ask of a forward. */
      readonly outputs: readonly OutputKind[];
      /** It also reads the hidden states of these outputs. */
      readonly states?: boolean | undefined;
      /** It adds several children to a node. */
      readonly branching: boolean;
      /** It goes on from nodes that are not the latest. */
      readonly rollback: boolean;
    }
  | {
      readonly model: 'canvas';
      /** Outputs that it may ask of a fill. */
      readonly outputs: readonly OutputKind[];
      /** It asks the model for lengths. */
      readonly lengths: boolean;
      /** Candidates a position, or as many as the vocabulary has; 0 where `topK` is not asked for. */
      readonly candidates: number;
    }
  | {
      readonly model: 'lattice';
      /** Kinds of lattice that it reads. */
      readonly kinds: readonly ('ctc' | 'dag')[];
      /** Candidates of each frame or vertex. */
      readonly candidates: number;
    }
  | {
      readonly model: 'edit';
      /** Outputs that it may ask of a fill. */
      readonly outputs: readonly OutputKind[];
      /** Candidates a position, or as many as the vocabulary has; 0 where `topK` is not asked for. */
      readonly candidates: number;
    };

/**
 * A decoding strategy: configuration only. All state of a decode is local to its iteration, so one decoder serves any
 * number of concurrent decodes.
 */
export interface Decoder<Model> {
  /** The field's name for the strategy, such as `greedy`. */
  readonly name: string;
  /** What a model must offer; checked before any compute. */
  readonly requires: Requirements;
  /** What it can use of a request, of what not every strategy can; default nothing. What is not named here is refused. */
  readonly accepts?: readonly OptionalField[] | undefined;
  /**
   * Decodes all rows; the last event is `decode-end`. Whatever was opened is released when the iteration ends, also by
   * `break`, an abort or an error.
   *
   * Throws `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY`, whatever the model throws, or the signal's reason.
   */
  decode(model: Model, request: DecodeRequest<SourceOf<Model>>): AsyncIterable<DecodeEvent>;
}

/** The source type a model reads. */
export type SourceOf<Model> = Model extends { open(sources: readonly (infer Source)[], ...rest: never[]): unknown }
  ? Source
  : Model extends { emit(sources: readonly (infer Source)[], ...rest: never[]): unknown }
    ? Source
    : never;
