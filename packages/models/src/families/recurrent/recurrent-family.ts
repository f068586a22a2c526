import type { GraphTensor } from '../../folder/manifest.js';
import { claimsByName, type Refuse } from '../../folder/manifest-agreement.js';
import type { ExpectedValues } from '../../onnx/graph-description.js';
import { EXACT } from '../../parts/model-part.js';
import { textProcessor } from '../../processors/text-processor.js';
import type { ModelFamily } from '../family.js';
import { type RecurrentManifest, recurrentSchema } from './recurrent-manifest.js';
import { RecurrentModel } from './recurrent-model.js';

/** Recurrent models: from weights, or steps that others have exported. */
export const recurrentFamily: ModelFamily<RecurrentManifest> = {
  name: 'recurrent',
  schema: recurrentSchema,
  claims: (manifest) => claimsByName(manifest),
  checkAgreement,
  async checkGraphs({ graphs, encoder, step }, check) {
    if (graphs.encoder !== undefined && encoder !== undefined) {
      await check(graphs.encoder, expected(encoder.inputs.map(({ tensor }) => tensor)), expected(encoder.outputs));
    }
    await check(graphs.step, expected(step.inputs.map(({ tensor }) => tensor)), expected(step.outputs));
  },
  async open({ manifest, sessions, threads }) {
    sessions.threads = threads ?? 1;
    const { graphs } = manifest;
    const open = async (): Promise<void> => {
      await sessions.get(graphs.step);
      if (graphs.encoder !== undefined) await sessions.get(graphs.encoder);
    };
    const model = new RecurrentModel(manifest, sessions.runtime, (file) => sessions.get(file));
    return [{ kind: 'autoregressive', model, open }];
  },
  processor: ({ manifest, tokenizer }) => {
    const text = textProcessor(tokenizer);
    if (manifest.encoder !== undefined) return text;
    const { endTokenId } = manifest.vocabulary;
    return {
      ...text,
      // A prompt does not end.
      read: (prompt) => {
        const source = tokenizer.encode(prompt);
        const ended = source.length > 1 && source.at(-1) === endTokenId;
        const read = ended ? source.slice(0, -1) : source;
        return { source: read, unknownTokens: tokenizer.countUnknown(read) };
      },
    };
  },
  describe: ({ architecture, encoder, step, vocabulary }) => ({
    parts: [{ kind: 'autoregressive', variant: EXACT }],
    outputs: ['argmax', 'topK', 'logProbs', 'logits'],
    outputsOf: 'step',
    ownSourceTokens: encoder !== undefined && encoder.vocabularySize !== vocabulary.size,
    architecture: architecture.description,
    facts: [
      ['reads', encoder === undefined ? 'a prompt' : `sources of ${encoder.vocabularySize} symbols`],
      ['state', step.inputs.flatMap(({ role, tensor }) => (role === 'state' ? [tensor.name] : [])).join(', ')],
    ],
  }),
};

const expected = (tensors: readonly GraphTensor[]): ExpectedValues =>
  Object.fromEntries(tensors.map(({ name, type, dims }) => [name, { type, dims }]));

function checkAgreement({ encoder, step, graphs, vocabulary }: RecurrentManifest, refuse: Refuse): void {
  if ((encoder === undefined) !== (graphs.encoder === undefined)) {
    refuse('graphs.encoder', graphs.encoder ?? 'missing', 'there where encoder is, and only there');
  }
  if (encoder !== undefined && encoder.padTokenId >= encoder.vocabularySize) {
    refuse('encoder.padTokenId', encoder.padTokenId, `below ${encoder.vocabularySize}`);
  }
  const roles = (inputs: readonly { readonly role: string }[]) => inputs.filter(({ role }) => role === 'tokens').length;
  if (encoder !== undefined && roles(encoder.inputs) !== 1)
    refuse('encoder.inputs', roles(encoder.inputs), 'one of the role tokens');
  if (roles(step.inputs) !== 1) refuse('step.inputs', roles(step.inputs), 'one of the role tokens');
  const given = new Map(encoder?.outputs.map((tensor) => [tensor.name, tensor]));
  const results = new Map(step.outputs.map((tensor) => [tensor.name, tensor]));
  for (const { role, tensor, from, to, batchAxis = 0 } of step.inputs) {
    const field = `step.inputs ${tensor.name}`;
    const source = from === undefined ? undefined : given.get(from);
    if ((from !== undefined && source === undefined) || (role === 'memory' && source === undefined)) {
      refuse(field, from ?? 'missing', 'the name of an output of the encoder');
    }
    if (source !== undefined && (source.type !== tensor.type || source.dims.length !== tensor.dims.length)) {
      refuse(field, source, 'an output of the encoder of the same type and number of dimensions');
    }
    if (role !== 'state') continue;
    const next = results.get(to ?? '');
    if (next === undefined || next.dims.length !== tensor.dims.length) {
      refuse(field, to ?? 'missing', 'the name of an output of the step with the same number of dimensions');
    }
    if (tensor.type !== 'float32' || batchAxis >= tensor.dims.length)
      refuse(field, tensor, 'float32, with the dimension of the batch');
  }
  const scores = results.get(step.scores);
  const last = scores?.dims.at(-1);
  if (scores?.type !== 'float32' || (last !== null && last !== vocabulary.size)) {
    refuse('step.scores', scores ?? step.scores, `a float32 output whose last dimension is ${vocabulary.size} or null`);
  }
}
