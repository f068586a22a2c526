import * as v from 'valibot';
import { graphTensor, SCORE_VALUES, type ScoreValues } from '../../folder/export-schema.js';
import type { GraphTensor, ManifestVocabulary, ModelManifest, TokenizerNames } from '../../folder/manifest.js';
import {
  candidates,
  content,
  fileName,
  heading,
  integer,
  limits,
  optional,
  optionalTokens,
  tokenId,
  tokenizer,
  vocabularySize,
} from '../../folder/manifest-schema.js';

/** What an encoder's input is: token ids; 1 where a source is; 1 where padding is; lengths. */
export const ENCODER_ROLES = ['tokens', 'mask', 'padding', 'lengths'] as const;
/**
 * What a step's input is: the token; a state that the step gives anew; what the encoder gave, the same at each step; places of the
 * source, 0, 1, 2 and so on.
 */
export const STEP_ROLES = ['tokens', 'state', 'memory', 'positions'] as const;

/** An input of an encoder graph, and what it is fed. */
export interface EncoderInput {
  /** What it is fed. */
  readonly role: (typeof ENCODER_ROLES)[number];
  /** Its name, type and dimensions. */
  readonly tensor: GraphTensor;
}

/** An input of a step graph, and what it is fed. */
export interface StepInput {
  /** What it is fed. */
  readonly role: (typeof STEP_ROLES)[number];
  /** Its name, type and dimensions. */
  readonly tensor: GraphTensor;
  /** The encoder's output that it is at first; a state without one is zeros. */
  readonly from?: string | undefined;
  /** Of a state: the step's output that it is next. */
  readonly to?: string | undefined;
  /** Of a state: the dimension of the batch. */
  readonly batchAxis?: number | undefined;
}

/** A recurrent model: a step that takes a token and a state, and an encoder where it reads sources. */
export interface RecurrentManifest extends ModelManifest {
  readonly family: 'recurrent';
  readonly tokenizer?: TokenizerNames | undefined;
  /** Tokens of outputs; each is begun with `startTokenId`, which is not part of it. */
  readonly vocabulary: ManifestVocabulary & { readonly startTokenId: number };
  /** In words, for people. */
  readonly architecture: { readonly description: string };
  /** File names of the graphs. */
  readonly graphs: { readonly encoder?: string | undefined; readonly step: string };
  /** Absent in language models, whose sources are prompts. */
  readonly encoder?:
    | {
        readonly inputs: readonly EncoderInput[];
        readonly outputs: readonly GraphTensor[];
        readonly vocabularySize: number;
        readonly padTokenId: number;
        /** All sources are padded to this length. */
        readonly paddedLength?: number | undefined;
      }
    | undefined;
  /** What the step is fed and gives. */
  readonly step: {
    readonly inputs: readonly StepInput[];
    readonly outputs: readonly GraphTensor[];
    readonly scores: string;
    readonly values: ScoreValues;
    readonly maxCandidates: number;
  };
}

const tensors = v.pipe(v.array(graphTensor), v.minLength(1), v.maxLength(64));
const name = v.pipe(v.string(), v.maxLength(1000));

export const recurrentSchema: v.GenericSchema<unknown, RecurrentManifest> = v.strictObject({
  ...heading,
  family: v.literal('recurrent'),
  tokenizer: v.exactOptional(tokenizer),
  vocabulary: v.strictObject({
    size: vocabularySize,
    endTokenId: v.exactOptional(tokenId),
    startTokenId: tokenId,
    ...optionalTokens,
  }),
  limits,
  architecture: v.strictObject({ description: v.pipe(v.string(), v.maxLength(1000)) }),
  graphs: v.strictObject({ encoder: optional(fileName), step: fileName }),
  encoder: v.exactOptional(
    v.strictObject({
      inputs: v.pipe(
        v.array(v.strictObject({ role: v.picklist(ENCODER_ROLES), tensor: graphTensor })),
        v.minLength(1),
        v.maxLength(8),
      ),
      outputs: tensors,
      vocabularySize,
      padTokenId: tokenId,
      paddedLength: v.exactOptional(integer(1, 65_536)),
    }),
  ),
  step: v.strictObject({
    inputs: v.pipe(
      v.array(
        v.strictObject({
          role: v.picklist(STEP_ROLES),
          tensor: graphTensor,
          from: v.exactOptional(name),
          to: v.exactOptional(name),
          batchAxis: v.exactOptional(integer(0, 7)),
        }),
      ),
      v.minLength(2),
      v.maxLength(64),
    ),
    outputs: tensors,
    scores: name,
    values: v.picklist(SCORE_VALUES),
    maxCandidates: candidates,
  }),
  ...content,
}) as v.GenericSchema<unknown, RecurrentManifest>;
