import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { tokenForestConformance } from '@foretoken/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { PlainSpeechLoop } from '../../../apps/bench/src/models/plain-speech-loop.js';
import { loadModel } from '../src/index.js';
import type { AudioSource, SpeechInput, SpeechOutput } from '../src/speech.js';
import { exportCopy, exportFolder } from './export-folders.js';
import { refusal } from './folder-fixtures.js';
import { wavOf } from './wav-fixture.js';

/** Written by apps/distill/make_speech_export_fixtures.py: what transformers gives for the model that was exported. */
interface SpeechRow {
  /** Length of the sound, and the two periods that it is made of. */
  readonly sound: readonly [length: number, first: number, second: number];
  readonly fed: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
  readonly beam: readonly (readonly number[])[];
  readonly scores: readonly number[];
}

const NEW_TOKENS = 12;
const open = (folder: string) => loadModel<SpeechInput, SpeechOutput, AudioSource>(folder, { probe: false });
const rows = JSON.parse(await readFile(join(exportFolder('speech'), 'expected.json'), 'utf8')) as readonly SpeechRow[];
const sounds = rows.map(({ sound: [length, first, second] }) =>
  Float32Array.from({ length }, (_, at) => 0.3 * Math.sin(at / first) * Math.cos(at / second)),
);
const sources: readonly AudioSource[] = sounds.map((values) => ({ values, dims: [values.length] }));

type Decoder = ReturnType<typeof greedy<AudioSource>>;

async function decode(target: AutoregressiveModel<AudioSource>, decoder: Decoder, given = sources) {
  const { results } = await collect(decoder.decode(target, { sources: given, maxNewTokens: NEW_TOKENS }));
  return results;
}

/** The best output of each source. */
async function best(target: AutoregressiveModel<AudioSource>, decoder: Decoder, given = sources) {
  return (await decode(target, decoder, given)).map((row) => [...row.best.tokenIds]);
}

const model = await open(exportFolder('speech'));
const own = await open(exportFolder('speech-ort'));

describe('an exported speech model', () => {
  afterAll(() => model.dispose());
  const target = model.part('autoregressive');

  it('has the logits of transformers to 1e-4, after every token', async () => {
    for (const [row, { fed, logits }] of rows.entries()) {
      await using forest = await target.open([sources[row]]);
      const tokenId = Int32Array.from(fed);
      const parent = tokenId.map((_, index) => -1 - index);
      const nodes = { row: new Int32Array(fed.length), parent, tokenId };
      const given = (await forest.extend(nodes, { kind: 'logits' })).logits;
      for (const [index, value] of logits.flat().entries()) expect(Math.abs(given[index] - value)).toBeLessThan(1e-4);
    }
  });

  it('has its greedy outputs, alone and together, and with drafts', async () => {
    const plain = rows.map((row) => row.greedy);
    expect(await best(target, greedy<AudioSource>())).toEqual(plain);
    for (const [row, source] of sources.entries()) {
      expect(await best(target, greedy<AudioSource>(), [source])).toEqual([plain[row]]);
    }
    const drafter = ngramDrafter<AudioSource>({ vocabulary: target.vocabulary, lookIn: 'output' });
    expect(await best(target, speculative<AudioSource>({ drafter }))).toEqual(plain);
  });

  it('has its n-best lists of a beam of four, scores too', async () => {
    const stopWhen = 'improvement-unlikely';
    const decoder = beamSearch<AudioSource>({ beamSize: 4, hypotheses: 4, stopWhen, lengthPenalty: 1 });
    for (const [row, { hypotheses }] of (await decode(target, decoder)).entries()) {
      expect(hypotheses.map(({ tokenIds }) => [...tokenIds])).toEqual(rows[row].beam);
      for (const [index, score] of rows[row].scores.entries()) expect(hypotheses[index].score).toBeCloseTo(score, 4);
    }
  });

  tokenForestConformance({
    runner: { describe, it },
    name: 'of sound',
    createModel: () => target as never,
    sources: sources as never,
    tolerance: 2e-5,
    scripts: 3,
  });

  it('reads samples, files and other rates alike, and what is shorter than it can hear', async () => {
    const [, sound] = sounds;
    const { tokenIds, source, text } = await model.decode(sound, greedy<AudioSource>(), { maxNewTokens: NEW_TOKENS });
    expect([...tokenIds]).toEqual(rows[1].greedy);
    expect(source).toEqual({ values: sound, dims: [sound.length] });
    expect(text).toBe(model.tokenizer.decode(tokenIds));
    const { samples } = { samples: sound };
    const again = await model.decode({ samples, sampleRate: 16_000, task: 'transcribe' }, greedy<AudioSource>(), {
      maxNewTokens: NEW_TOKENS,
    });
    expect([...again.tokenIds]).toEqual(rows[1].greedy);
    const { source: read } = await model.processor.read({ wav: wavOf(sound) });
    expect(read.values.every((value, at) => Math.abs(value - sound[at]) < 1e-3)).toBe(true);
    const doubled = await model.processor.read({ samples: sound, sampleRate: 32_000 });
    expect(doubled.source.dims).toEqual([sound.length / 2]);
    const [silent] = await best(target, greedy<AudioSource>(), [{ values: Float32Array.of(0.1), dims: [1] }]);
    const padded = new Float32Array(1600);
    padded[0] = 0.1;
    expect(await best(target, greedy<AudioSource>(), [{ values: padded, dims: [1600] }])).toEqual([silent]);
  });

  it.each([
    ['a language', { samples: sounds[0], language: 'en' }, 'UNSUPPORTED_CAPABILITY', /language/],
    ['a translation', { samples: sounds[0], task: 'translate' }, 'UNSUPPORTED_CAPABILITY', /task/],
    ['timestamps', { samples: sounds[0], timestamps: true }, 'UNSUPPORTED_CAPABILITY', /timestamps/],
    ['no sound', new Float32Array(), 'EMPTY_SOURCE', /no samples/],
    ['31 seconds', new Float32Array(31 * 16_000), 'SOURCE_TOO_LONG', /30 s.*cutSound/],
    ['what is no number', Float32Array.of(0, Number.NaN), 'INVALID_ARGUMENT', /Sample 1.*NaN/],
  ] as const)('refuses %s, saying why', async (_, input, code, words) => {
    const error = await refusal(() => model.decode(input, greedy<AudioSource>()));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });

  it.each([
    ['a spectrum', { values: new Float32Array(8), dims: [2, 4] }, 'INVALID_ARGUMENT'],
    ['too few values', { values: new Float32Array(8), dims: [9] }, 'INVALID_ARGUMENT'],
    ['an infinite sample', { values: Float32Array.of(Number.POSITIVE_INFINITY), dims: [1] }, 'INVALID_ARGUMENT'],
    ['no samples', { values: new Float32Array(), dims: [0] }, 'EMPTY_SOURCE'],
    ['too many', { values: new Float32Array(480_001), dims: [480_001] }, 'SOURCE_TOO_LONG'],
  ])('refuses a source of %s before it computes', async (_, source, code) => {
    model.timings.reset();
    expect((await refusal(() => best(target, greedy<AudioSource>(), [source]))).code).toBe(code);
    expect(model.timings.runs).toBe(0);
  });

  it('is refused where its sound is rewritten before, or at a rate that is none', async () => {
    const folder = await exportCopy('speech');
    for (const [config, field] of [
      [{ do_normalize: true }, 'do_normalize'],
      [{ sampling_rate: 0 }, 'sampling_rate'],
      [[], 'the whole file'],
    ] as const) {
      await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
      expect(await refusal(() => open(folder))).toMatchObject({
        code: 'UNSUPPORTED_MODEL',
        details: { file: 'preprocessor_config.json', field },
      });
    }
    await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify({ sampling_rate: 32_000 }));
    await using fast = await open(folder);
    expect((await fast.processor.read({ samples: sounds[1], sampleRate: 16_000 })).source.dims).toEqual([8000]);
  });
});

describe("a speech model in ONNX Runtime's own format, with products in 8 bits", () => {
  afterAll(() => own.dispose());
  const target = own.part('autoregressive');

  it('has the logits and tokens of a plain loop over its graphs, bit by bit', async () => {
    const loop = await PlainSpeechLoop.open(exportFolder('speech-ort'));
    for (const [row, source] of sources.entries()) {
      const plain = await loop.decode(source.values, { max: NEW_TOKENS, start: 1, end: 2 });
      expect(await best(target, greedy<AudioSource>(), [source])).toEqual([plain.tokens]);
      await using forest = await target.open([sources[row]]);
      let last = -1;
      for (const [index, tokenId] of [1, ...plain.tokens].slice(0, plain.logits.length).entries()) {
        const nodes = { row: Int32Array.of(0), parent: Int32Array.of(last), tokenId: Int32Array.of(tokenId) };
        const { logits, firstNode } = await forest.extend(nodes, { kind: 'logits' });
        last = firstNode;
        expect(logits).toEqual(plain.logits[index]);
      }
    }
    await loop.close();
  });

  it('follows beams and drafts, and says that rows depend on one another', async () => {
    expect(own.description.facts).toContainEqual([
      'rows',
      expect.stringMatching(/DynamicQuantizeLinear, DynamicQuantizeMatMul: .*speculation may give other outputs/),
    ]);
    expect(own.manifest).toMatchObject({ precision: 'as-built' });
    expect(own.description.facts).toContainEqual(['reads', 'sound, 30 s at once']);
    const drafter = ngramDrafter<AudioSource>({ vocabulary: target.vocabulary, lookIn: 'output' });
    for (const decoder of [beamSearch<AudioSource>({ beamSize: 3 }), speculative<AudioSource>({ drafter })]) {
      for (const tokens of await best(target, decoder)) expect(tokens.length).toBeGreaterThan(0);
    }
  });

  it('reads texts by its list of tokens, as it writes them', () => {
    const { tokenizer } = own;
    for (const text of ['the abc', 'Ünt 5!', 'a  the']) {
      expect(tokenizer.decode(tokenizer.encode(text, 'output'))).toBe(text);
    }
    // A space and the word, as one; letters; a byte of what has no piece.
    const tokens = ['<unk>', '<s>', '</s>'].length + 256;
    expect([...tokenizer.encode('the z~', 'output')]).toEqual([tokens + 30, tokens, tokens + 26, 3 + 0x7e]);
    expect(tokenizer.decode([1, tokens + 30, tokens + 32, 2])).toBe('the');
  });
});
