import { ForetokenError } from '@foretoken/core';
import { type ModelFamily, type ModelManifest, manifestSchema } from '@foretoken/models';
import * as v from 'valibot';
import { OnnxNetwork, onnxLogits } from './onnx-networks.ts';
import { positionWiseModel } from './position-wise-model.ts';
import { recurrentModel } from './rnn-model.ts';
import { FIRST_DIGIT, LAST_DIGIT, MAX_DIGITS, toText, toTokens, VOCABULARY } from './task.ts';

/** What `foretoken.json` of such a folder says, beside what every folder says. */
export interface DigitsManifest extends ModelManifest {
  readonly family: 'digits';
  readonly graphs: { readonly rnn: string; readonly fill: string };
}

const ids = { type: 'int32', dims: [null, null] };
const floats = (...dims: (number | null)[]) => ({ type: 'float32', dims });

/** Folders with the textbook's two models: a recurrent network, and one that fills all positions at once. */
export const digitsFamily: ModelFamily<DigitsManifest> = {
  name: 'digits',
  schema: manifestSchema<DigitsManifest>({
    family: v.literal('digits'),
    graphs: v.strictObject({ rnn: v.string(), fill: v.string() }),
  }),
  claims: ({ graphs: { rnn, fill } }) => ({
    tokenIds: {},
    candidates: {},
    graphs: { 'graphs.rnn': rnn, 'graphs.fill': fill },
    others: {},
  }),
  async checkGraphs({ graphs }, check) {
    const scores = floats(null, null, VOCABULARY.size);
    await check(
      graphs.rnn,
      { token_ids: ids, digits: ids, state: floats(null, 16) },
      { states: floats(null, null, 16), logits: scores },
    );
    await check(graphs.fill, { digits: ids }, { logits: scores });
  },
  async open({ manifest: { graphs }, sessions, threads }) {
    sessions.threads = threads ?? 1;
    const { runtime } = sessions;
    const step = () => sessions.get(graphs.rnn);
    const fill = () => sessions.get(graphs.fill);
    return [
      {
        kind: 'autoregressive',
        model: recurrentModel((sources) => new OnnxNetwork(sources, runtime, step)),
        open: step,
      },
      { kind: 'canvas', model: positionWiseModel(onnxLogits(runtime, fill)), open: fill },
    ];
  },
  // There is no tokenizer: a token is a word between blanks.
  processor: () => ({
    input: 'digits from 1 to 3 with blanks between them',
    isInput: (value) => typeof value === 'string',
    read(input) {
      const source = toTokens(input);
      if (source.length > MAX_DIGITS || source.some((id) => id < FIRST_DIGIT || id > LAST_DIGIT)) {
        throw new ForetokenError('INVALID_ARGUMENT', `"${input}" is not up to ${MAX_DIGITS} digits such as "1 2 3".`);
      }
      return { source };
    },
    write: ({ tokenIds }) => ({ text: toText(tokenIds) }),
  }),
  describe: () => ({
    parts: [
      { kind: 'autoregressive', variant: 'exact' },
      { kind: 'canvas', variant: 'exact' },
    ],
    outputs: ['argmax', 'topK', 'logProbs', 'logits'],
    outputsOf: 'step',
    architecture: 'a recurrent network of 16 units, and a position-wise one of 24',
    facts: [],
  }),
};
