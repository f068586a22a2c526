import type { FloatSource } from '../../drivers/float-source.js';
import { FLOAT_TYPES, isFloatType } from '../../drivers/float-tensor.js';
import { claimsByName } from '../../folder/manifest-agreement.js';
import { EXACT } from '../../parts/model-part.js';
import type { ModelFamily } from '../family.js';
import { CtcFramesModel } from './ctc-frames-model.js';
import { type CtcManifest, ctcSchema } from './ctc-manifest.js';
import { type CtcInput, type CtcOutput, ctcProcessor } from './ctc-processor.js';

/** CTC models that others have exported: one graph from numbers to scores of each frame. */
export const ctcFamily: ModelFamily<CtcManifest, CtcInput, CtcOutput, FloatSource> = {
  name: 'ctc',
  schema: ctcSchema,
  claims: (manifest) => claimsByName(manifest),
  checkAgreement({ inputs, outputs, frames, vocabulary, sound }, refuse) {
    const { dims } = inputs.values;
    const fits =
      dims.length === frames.dims.length + 1 &&
      dims.slice(1).every((size, axis) => size === null || size === frames.dims[axis]);
    if (!fits) refuse('frames.dims', frames.dims, `those of inputs.values but for the batch, ${JSON.stringify(dims)}`);
    if (sound !== undefined && frames.dims.length !== 1) {
      refuse('sound', sound, `left out where a source has the dimensions ${JSON.stringify(frames.dims)}`);
    }
    for (const { name, type } of [inputs.values, outputs.scores]) {
      if (!isFloatType(type)) refuse(`the type of ${name}`, type, FLOAT_TYPES.join(' or '));
    }
    const { dims: scored } = outputs.scores;
    // A graph may declare fewer dimensions than its scores have: those are looked at when they are there.
    if (scored.length === 3 && scored[2] !== null && scored[2] !== vocabulary.size) {
      refuse('outputs.scores.dims', scored, `three dimensions, the last ${vocabulary.size} or null`);
    }
    if (!frames.dims.includes(null) && (inputs.lengths !== undefined || inputs.mask !== undefined)) {
      refuse(
        'frames.dims',
        frames.dims,
        'dimensions with a null for time, since the graph is told how long a source is',
      );
    }
    if (frames.batches === 'padded' && outputs.lengths === undefined) {
      refuse(
        'frames.batches',
        frames.batches,
        'alone or equal-lengths, since no output says how many frames a source has',
      );
    }
  },
  checkGraphs: ({ graphs, inputs, outputs }, check) => {
    const named = (tensors: object) =>
      Object.fromEntries(Object.values(tensors).map(({ name, type, dims }) => [name, { type, dims }]));
    return check(graphs.scores, named(inputs), named(outputs));
  },
  async open({ manifest, sessions, threads }) {
    sessions.threads = threads ?? 1;
    // Exporters leave to the runtime what can be fused: convolutions take a quarter less.
    sessions.optimization = 'all';
    const session = () => sessions.get(manifest.graphs.scores);
    return [{ kind: 'lattice', model: new CtcFramesModel(manifest, sessions.runtime, session), open: session }];
  },
  processor: ({ manifest, tokenizer }) => ctcProcessor(manifest, tokenizer),
  describe: ({ frames, ctc, vocabulary, sound }) => ({
    parts: [{ kind: 'lattice', lattice: 'ctc', variant: EXACT }],
    outputs: [frames.values],
    outputsOf: 'frame',
    architecture: `a CTC graph as it was exported, ${vocabulary.size} classes`,
    facts: [
      [
        'reads',
        frames.dims.includes(null)
          ? `[${frames.dims.map((size) => size ?? 'time').join(', ')}], about ${Number(frames.stride.toPrecision(4))} a frame`
          : `[${frames.dims.join(', ')}], ${Math.round(1 / frames.stride)} frames`,
      ],
      ...soundFacts(sound),
      ['blank', String(ctc.blankId)],
      ['batches', frames.batches],
    ],
  }),
};

/** What people are told of the sound that a model hears. */
function soundFacts(sound: CtcManifest['sound']): readonly (readonly [string, string])[] {
  if (sound === undefined) return [];
  return [['sound', `${sound.sampleRate} samples a second${sound.normalised ? ', with mean 0 and variance 1' : ''}`]];
}
