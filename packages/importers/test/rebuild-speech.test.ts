import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { type AudioSource, type SpeechInput, type SpeechOutput, timestampRules } from '@foretoken/models/speech';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportCopy, exportFolder } from '../../models/test/export-folders.js';
import { edit } from '../../models/test/export-refusal.js';
import { spectrumGoldens, spectrumSource } from '../../models/test/spectrum-fixtures.js';
import { rebuildExport } from '../src/index.js';

const open = (folder: string) =>
  loadModel<SpeechInput, SpeechOutput, AudioSource>(folder, { probe: false, improveGraph: rebuildExport });

let cache: string;
const before = process.env.FORETOKEN_CACHE;

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'foretoken-rebuild-speech-'));
  process.env.FORETOKEN_CACHE = cache;
});
afterAll(async () => {
  if (before === undefined) delete process.env.FORETOKEN_CACHE;
  else process.env.FORETOKEN_CACHE = before;
  await rm(cache, { recursive: true, force: true });
});

describe('the graphs of an exported speech model built anew', () => {
  it.each(['spectra', 'spectra-en'])('give the logits and outputs of transformers: %s', async (kind) => {
    const goldens = await spectrumGoldens(kind);
    const { rows, newTokens, suppressed, first } = goldens;
    await using model = await open(exportFolder(kind));
    expect(model.description.facts.find(([name]) => name === 'improved graphs')?.[1]).toMatch(/^built of its weights/);
    const target = model.part('autoregressive');
    const sources = rows.map((row) => spectrumSource(goldens, row));
    // What exported graphs cannot do, ours can.
    await (await target.open(sources, { joining: true }))[Symbol.asyncDispose]();
    const outputs = async (decoder: ReturnType<typeof greedy<AudioSource>>, timestamps: boolean) => {
      const given = sources.map((source) => ({ ...source, timestamps }));
      const { results } = await collect(decoder.decode(target, { sources: given, maxNewTokens: newTokens }));
      return results.map(({ best }) => [...best.tokenIds]);
    };
    expect(await outputs(greedy<AudioSource>(), false)).toEqual(rows.map((row) => row.greedy));
    const timed = greedy<AudioSource>({ processors: [timestampRules(model.manifest)] });
    expect(await outputs(timed, true)).toEqual(rows.map((row) => row.timestamps));
    for (const [row, { fed, logits: required }] of rows.entries()) {
      await using forest = await target.open([sources[row]]);
      const nodes = new NodeBatch();
      nodes.addChain(0, ROOT, fed, 'all');
      const { logits } = await forest.extend(nodes, { kind: 'logits' });
      for (const [at, values] of required.entries()) {
        for (const [index, value] of values.entries()) {
          const id = 7 * index;
          if ([...suppressed, ...first].includes(id)) continue;
          expect(Math.abs(logits[at * target.vocabulary.size + id] - value)).toBeLessThan(1e-4);
        }
      }
    }
  });

  it('are not used where they give something else', async () => {
    const folder = await exportCopy('spectra-en');
    await edit(folder, 'config.json', (config) => ({ ...config, decoder_attention_heads: 2 }));
    await using model = await open(folder);
    expect(model.description.facts.find(([name]) => name === 'improved graphs')?.[1]).toMatch(
      /^none: graphs built anew do not give what the exported ones give/,
    );
    await rm(folder, { recursive: true });
  });
});
