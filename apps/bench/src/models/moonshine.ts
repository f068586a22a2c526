import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { type AudioSource, readWav, type SpeechInput, type SpeechOutput } from '@foretoken/models/speech';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { modelGoldens } from '../real-models.js';
import type { ModelRow } from './model-row.js';
import { PlainSpeechLoop } from './plain-speech-loop.js';

/** Written by data/models/moonshine_peer.py. */
interface Golden {
  readonly begin: number;
  readonly end: number;
  readonly greedy: readonly number[];
  readonly beam4: readonly number[];
  readonly score: number;
}

const START = 1;
const END = 2;
const MAX_TOKENS = 194;
/** Windows of the longer recording, in its own samples. */
const LONG = [
  [0, 480_000],
  [480_000, 960_000],
  [960_000, 1_680_000],
  [700_000, 2_129_958],
  [300_000, 1_500_000],
] as const;

/** Moonshine tiny as its package brings it: graphs in ONNX Runtime's own format, products in 8 bits, no config. */
export const moonshineTiny: ModelRow = {
  model: 'moonshine-tiny',
  format: 'ort, dynamic int8',
  oracle: 'a plain loop over the same graphs',
  packages: ['moonshine'],
  required: { equal: 1, worstLogitDifference: 0 },
  async measure({ folders, progress }) {
    const assets = join(folders.moonshine, 'moonshine_voice/assets');
    const folder = join(assets, 'tiny-en');
    await using model = await loadModel<SpeechInput, SpeechOutput, AudioSource>(folder, { threads: 1, probe: false });
    const plain = await PlainSpeechLoop.open(folder);
    const part = model.part('autoregressive');
    const drafter = ngramDrafter<AudioSource>({ vocabulary: part.vocabulary, lookIn: 'output' });
    const strategies = {
      greedy: greedy<AudioSource>(),
      beam: beamSearch<AudioSource>({ beamSize: 4, stopWhen: 'full' }),
      drafted: speculative<AudioSource>({ drafter }),
    };
    const goldens = modelGoldens('moonshine') as readonly Golden[];
    const cases = [
      ...goldens.map((golden) => ({ file: 'beckett.wav', begin: golden.begin, end: golden.end, golden })),
      ...LONG.map(([begin, end]) => ({ file: 'two_cities.wav', begin, end, golden: undefined })),
    ];
    const found = { equal: 0, drafted: 0, greedy: 0, beam: 0, worst: 0, worstScore: 0, own: 0, theirs: 0 };
    const texts: string[] = [];
    try {
      for (const [index, { file, begin, end, golden }] of cases.entries()) {
        const { samples, sampleRate } = readWav(new Uint8Array(await readFile(join(assets, file))));
        const { source } = await model.processor.read({ samples: samples.subarray(begin, end), sampleRate });
        const run = async (name: keyof typeof strategies) => {
          const request = { sources: [source], maxNewTokens: MAX_TOKENS };
          return (await collect(strategies[name].decode(part, request))).results[0].best;
        };
        const began = performance.now();
        const oracle = await plain.decode(source.values, { max: MAX_TOKENS, start: START, end: END });
        const between = performance.now();
        const own = String((await run('greedy')).tokenIds);
        found.theirs += between - began;
        found.own += performance.now() - between;
        if (own === String(oracle.tokens)) found.equal++;
        found.worst = Math.max(found.worst, await worstDifference(part, source, oracle));
        if (own === String((await run('drafted')).tokenIds)) found.drafted++;
        texts.push(model.tokenizer.decode(oracle.tokens));
        if (golden !== undefined) {
          const beam = await run('beam');
          if (own === String(golden.greedy)) found.greedy++;
          if (String(beam.tokenIds) === String(golden.beam4)) found.beam++;
          found.worstScore = Math.max(found.worstScore, Math.abs((beam.score ?? Number.NaN) - golden.score));
        }
        progress(`moonshine-tiny: ${index + 1} of ${cases.length} windows`);
      }
    } finally {
      await plain.close();
    }
    return {
      family: model.manifest.family,
      equal: found.equal / cases.length,
      worstLogitDifference: found.worst,
      speedOverOracle: found.theirs / found.own,
      details: {
        windows: cases.length,
        // Rows of its products depend on one another, so these are told and not promised.
        speculationIdentical: found.drafted / cases.length,
        pythonGreedyEqual: found.greedy / goldens.length,
        pythonBeamEqual: found.beam / goldens.length,
        pythonWorstBeamScoreDifference: found.worstScore,
        identitySafe: model.description.facts.every(([name]) => name !== 'rows'),
        text: texts[0],
      },
    };
  },
};

/** The largest difference of a logit, token by token. */
async function worstDifference(
  part: AutoregressiveModel<AudioSource>,
  source: AudioSource,
  { tokens, logits }: { readonly tokens: readonly number[]; readonly logits: readonly Float32Array[] },
): Promise<number> {
  await using forest = await part.open([source]);
  let worst = 0;
  let last = -1;
  for (const [index, tokenId] of [START, ...tokens].slice(0, logits.length).entries()) {
    const nodes = { row: Int32Array.of(0), parent: Int32Array.of(last), tokenId: Int32Array.of(tokenId) };
    const { logits: own, firstNode } = await forest.extend(nodes, { kind: 'logits' });
    last = firstNode;
    worst = own.reduce((largest, score, id) => Math.max(largest, Math.abs(score - logits[index][id])), worst);
  }
  return worst;
}
