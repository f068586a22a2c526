import {
  fieldsOf,
  flag,
  integer,
  listOf,
  type OptionReader,
  type OptionTable,
  oneOf,
  readFields,
  text,
} from '@foretoken/core/kit';
import { filePath, SCORE_VALUES, type ScoreValues, type Symbols } from '@foretoken/models/internal';
import { TARGET_OPTIONS, type TargetOptions } from '../../target-options.js';

/** Options of `importRecurrentSteps`. */
export interface RecurrentStepOptions extends TargetOptions {
  /** Path or `file:` URL of the encoder's graph; without one the model is a language model. */
  readonly encoder?: string | undefined;
  /** The symbols of outputs, and of sources where they have their own; their places are their ids. */
  readonly symbols: Symbols;
  /** Token that every output begins with, before the first of its own. */
  readonly startTokenId: number;
  /** Token that ends outputs; default none. */
  readonly endTokenId?: number | undefined;
  /** Padding token of the outputs' vocabulary; default none. */
  readonly padTokenId?: number | undefined;
  /** What sources are padded with; default 0. */
  readonly sourcePadTokenId?: number | undefined;
  /** The length that all sources are padded to, where the encoder expects one. */
  readonly paddedLength?: number | undefined;
  /** What 1 or true says in the encoder's mask; default found by running it. */
  readonly mask?: 'source' | 'padding' | undefined;
  /**
   * Of inputs of the step whose names do not show it: the encoder's output that each is at first, null for zeros, and of a state the
   * step's output that it is next.
   */
  readonly inputs?:
    | Readonly<Record<string, { readonly from?: string | null | undefined; readonly to?: string | undefined }>>
    | undefined;
  /** The output that holds the scores of the next token; default the one of as many numbers as there are symbols. */
  readonly scores?: string | undefined;
  /** A value inside the step's graph that holds them, where no output does. */
  readonly exposeScores?: string | undefined;
  /** What they are; default found by running the step. */
  readonly values?: ScoreValues | undefined;
  /** Most symbols of a source; default 512. */
  readonly maxSourceLength?: number | undefined;
  /** Most tokens of an output, its start among them; default 512. */
  readonly maxLength?: number | undefined;
}

// Whether they fit one another is checked as the file is that they become.
const SYMBOLS: OptionTable<Symbols> = {
  target: listOf(text),
  source: listOf(text),
  separator: text,
  joiner: text,
  space: text,
  hidden: listOf(integer(0, 999_999)),
  lowercase: flag,
  unknownTokenId: integer(0, 999_999),
  startTokenId: integer(0, 999_999),
  endTokenId: integer(0, 999_999),
};

const symbols: OptionReader<Symbols> = (name, value) =>
  readFields(
    'symbols',
    fieldsOf('symbols', value, 'an object with the list target, and others of a symbols file'),
    SYMBOLS,
    ['target'],
    `${name}.`,
  );

type Inputs = NonNullable<RecurrentStepOptions['inputs']>;

const WIRE: OptionTable<Inputs[string]> = {
  from: (name, value) => (value === null ? null : text(name, value)),
  to: text,
};

const inputs: OptionReader<Inputs> = (name, value) => {
  const wires = [...fieldsOf(name, value, 'an object of { from, to } by the name of an input')];
  return Object.fromEntries(
    wires.map(([input, wire]) => {
      const path = `${name}.${String(input)}`;
      return [input, readFields(path, fieldsOf(path, wire, 'an object with from, to or both'), WIRE, [], `${path}.`)];
    }),
  );
};

export const STEP_OPTIONS: OptionTable<RecurrentStepOptions> = {
  encoder: filePath,
  symbols,
  startTokenId: integer(0, 999_999),
  endTokenId: integer(0, 999_999),
  padTokenId: integer(0, 999_999),
  sourcePadTokenId: integer(0, 999_999),
  paddedLength: integer(1, 65_536),
  mask: oneOf('source', 'padding'),
  inputs,
  scores: text,
  exposeScores: text,
  values: oneOf(...SCORE_VALUES),
  maxSourceLength: integer(1, 65_536),
  maxLength: integer(2, 65_536),
  ...TARGET_OPTIONS,
};
