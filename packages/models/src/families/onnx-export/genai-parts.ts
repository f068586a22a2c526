import { isObject } from '../../folder/json.js';
import { unsupportedModel } from '../../folder/refusal.js';

type Fields = Readonly<Record<string, unknown>>;

/** What of a folder of onnxruntime-genai is opened beside its decoder. */
export interface GenaiParts {
  readonly encoder: Fields | undefined;
  /** The file that says how sound becomes what the encoder reads, where the config names one. */
  readonly processor: unknown;
  /** Parts that outputs do not need, which are not used. */
  readonly unused: readonly UnusedPart[];
}

/** A part of a config that is not used, and what it names. */
export interface UnusedPart {
  readonly field: string;
  readonly received: string;
}

/** Parts that make the same outputs sooner, or that find where somebody speaks. */
const OPTIONAL: ReadonlySet<string> = new Set(['mtp', 'draft', 'vad']);
const BUILD =
  'Build it again, with the model builder of onnxruntime-genai for the CPU (-e cpu), or export it with Optimum.';
/** What parts are for, and what to do instead. */
const OTHERS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  vision: ['it reads images', 'Use a model of text or sound.'],
  speech: ['it reads sound beside text', 'Use a model of text, or one of sound alone.'],
  embedding: [
    'its decoder reads embeddings that another graph makes',
    'Import its weights, or use a model of text or sound.',
  ],
  joiner: ['it is a transducer', 'Use a model with an encoder and a decoder, or a CTC model.'],
  'decoder.pipeline': ['its decoder is several graphs', BUILD],
  encoder_decoder_init: ['its first graph is an encoder and a decoder in one, as old versions built them', BUILD],
};

/**
 * What is opened of the parts of a model; all that are not known are needed by it. Throws `UNSUPPORTED_MODEL` for a part that nothing here can
 * run, with its field.
 */
export function genaiParts(model: Fields, decoder: Fields, file: string, folder: string): GenaiParts {
  const refuse = (field: string, reason: string, remedy: string): never => {
    throw unsupportedModel(
      `${file} in ${folder} has model.${field}: ${reason}, but of such folders only a decoder is opened, alone or with an encoder. ${remedy}`,
      {
        folder,
        file,
        field: `model.${field}`,
        received: Object.keys(model),
        required: 'model.decoder, and model.encoder',
      },
    );
  };
  const { speech } = model;
  const described = isObject(speech) && !Object.hasOwn(speech, 'filename') ? speech : undefined;
  const parts = Object.keys(model).filter(
    (part) => part !== 'decoder' && part !== 'encoder' && isObject(model[part]) && model[part] !== described,
  );
  const others = parts.filter((part) => !OPTIONAL.has(part));
  const pipeline = Array.isArray(decoder.pipeline) && decoder.pipeline.length > 0 ? ['decoder.pipeline'] : [];
  // What says more of the model comes first.
  const other = Object.keys(OTHERS).find((part) => others.includes(part) || pipeline.includes(part)) ?? others[0];
  if (other !== undefined) {
    const [reason, remedy] = Object.hasOwn(OTHERS, other) ? OTHERS[other] : ['what that does is not known', BUILD];
    return refuse(other, reason, remedy);
  }
  const inputs = isObject(decoder.inputs) ? decoder.inputs : {};
  const recurrent = ['rnn_states_prev', 'lstm_hidden_state'].find((input) => Object.hasOwn(inputs, input));
  if (recurrent !== undefined) {
    return refuse(
      `decoder.inputs.${recurrent}`,
      'its decoder is recurrent, and takes one token a run',
      "Import the model's own weights instead.",
    );
  }
  const encoder = isObject(model.encoder) ? model.encoder : undefined;
  const unused = parts.map((part): UnusedPart => {
    const named: unknown = isObject(model[part]) ? model[part].filename : undefined;
    return { field: `model.${part}`, received: typeof named === 'string' ? named : 'no graph' };
  });
  return { encoder, processor: described?.config_filename, unused };
}
