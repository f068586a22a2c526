import { originOf } from '@foretoken/models/internal';
import type { Activation } from '../../blocks/activation.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { choiceOption, integerOption, type MarianConfig, refuseOption } from '../../readers/marian-bin/model-config.js';

/** Layers of one side and the inner width of their feed-forward blocks. */
interface Side {
  readonly layers: number;
  readonly feedForward: number;
}

/** A Transformer of Marian whose decoder has recurrent units in the place of attention to itself. */
export interface MarianBinShape {
  /** Tokens that sources and outputs have in the file; the start token is none of them. */
  readonly sources: number;
  readonly outputs: number;
  readonly width: number;
  readonly heads: number;
  readonly encoder: Side;
  readonly decoder: Side;
  readonly activation: Activation;
  /** Whether a projection follows a recurrent unit. */
  readonly projected: boolean;
  /** Whether both sides have one table of tokens, and whether outputs are scored by a matrix of its own. */
  readonly sharedTable: boolean;
  /** Whether both sides have one vocabulary, of whose tokens each may have a table of its own. */
  readonly oneVocabulary: boolean;
  readonly ownHead: boolean;
}

/** What the config must say, and does say of every student that was published for browsers. */
const REQUIRED = [
  ['type', 'transformer'],
  ['transformer-decoder-autoreg', 'rnn'],
  ['dec-cell', 'ssru'],
  ['transformer-preprocess', ''],
  ['transformer-postprocess', 'dan'],
  ['transformer-postprocess-top', ''],
  ['transformer-no-projection', false],
  ['transformer-train-position-embeddings', false],
  ['transformer-pool', false],
  ['transformer-ffn-depth', 2],
  ['layer-normalization', false],
  ['right-left', false],
  ['output-omit-bias', false],
  ['ulr', false],
  ['lemma-dim-emb', 0],
] as const;

/** Reads the config of a model of Marian. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readMarianBinShape(folder: WeightsFolder): MarianBinShape {
  const { path, config, tensors, tokenizer } = folder;
  const place = { folder: path, file: originOf(folder, 'type').file };
  const said: MarianConfig = { place, options: config };
  for (const [name, required] of REQUIRED) {
    // What is absent has Marian's default, which is the required value for all but the decoder.
    choiceOption(said, name, [required]);
  }
  choiceOption(said, 'transformer-decoder-autoreg', ['rnn']);
  choiceOption(said, 'transformer-postprocess-emb', ['d', '']);
  choiceOption(said, 'transformer-decoder-ffn-depth', [0, 2]);
  const tied = config['transformer-tied-layers'];
  if (Array.isArray(tied) && tied.length > 0) choiceOption(said, 'transformer-tied-layers', ['']);
  const width = integerOption(said, 'dim-emb', 4, 65_536);
  const heads = integerOption(said, 'transformer-heads', 1, 1024, 8);
  const feedForward = integerOption(said, 'transformer-dim-ffn', 1, 1_000_000, 2048);
  const inner = integerOption(said, 'transformer-decoder-dim-ffn', 0, 1_000_000, 0);
  const activation = choiceOption(said, 'transformer-ffn-activation', ['swish', 'relu', 'gelu']);
  if (width % 2 !== 0) refuseOption(said, 'dim-emb', 'an even number, for sines and cosines of positions');
  if (width % heads !== 0) refuseOption(said, 'transformer-heads', `a divisor of the width, ${width}`);
  const sharedTable = tensors.has('Wemb');
  const rows = (table: string): number => {
    const options = { [`rows of ${table}`]: tensors.get(table)?.shape[0] };
    return integerOption({ place, options }, `rows of ${table}`, 2, 1_000_000);
  };
  const [sources, outputs] = ['encoder_Wemb', 'decoder_Wemb'].map((own) => rows(sharedTable ? 'Wemb' : own));
  return {
    sources,
    outputs,
    width,
    heads,
    encoder: { layers: integerOption(said, 'enc-depth', 1, 256, 1), feedForward },
    decoder: { layers: integerOption(said, 'dec-depth', 1, 256, 1), feedForward: inner === 0 ? feedForward : inner },
    activation: activation === 'swish' ? 'silu' : activation,
    projected: choiceOption(said, 'transformer-rnn-projection', [false, true]),
    sharedTable,
    oneVocabulary: tokenizer.sourceTokens === undefined && sources === outputs,
    ownHead: tensors.has('decoder_ff_logit_out_W'),
  };
}
