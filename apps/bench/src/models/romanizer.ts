import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { importRecurrentSteps } from '@foretoken/importers';
import { loadModel } from '@foretoken/models';
import { modelGoldens } from '../real-models.js';
import { type Beam, finishedInBeam } from './finished-in-beam.js';
import type { ModelRow } from './model-row.js';
import { speedOverPackage } from './package-speed.js';

/** Source ids, and for the beams of two and four the texts with their mean log-probabilities, best first. */
type Romanized = readonly [ids: readonly number[], lists: readonly (readonly (readonly [string, number])[])[]];

const [PAD, BOS, EOS, UNKNOWN] = [0, 1, 2, 3];
const WIDTHS = [2, 4];
const PARTS = "both: encoder, steps and a beam of 4; ours is the bench's own search, which gives the package's list";
const MAX_STEPS = 32;

/** As the package tells a beam: each text once, by its mean log-probability. */
function listOf(
  beams: readonly Beam[],
  textOf: (tokenIds: readonly number[]) => string,
): (readonly [string, number])[] {
  const texts = new Map<string, number>();
  for (const { tokenIds, logProb, length } of beams) {
    const text = textOf(tokenIds);
    if (text !== '' && !texts.has(text)) texts.set(text, logProb / Math.max(1, length));
  }
  return [...texts].sort((a, b) => b[1] - a[1]);
}

/** Names in Arabic script to Latin letters: a GRU with attention, whose package searches with beams and tells scores. */
function romanizer(language: 'arabic' | 'persian'): ModelRow {
  return {
    model: `${language}-name-romanizer`,
    format: 'onnx',
    oracle: 'arabic-name-romanizer 0.2.0',
    packages: ['arabic-name-romanizer'],
    required: { equal: 1, worstLogitDifference: 1e-4 },
    async measure({ folders }) {
      const resources = join(
        folders['arabic-name-romanizer'],
        'arabic_name_romanizer/resources',
        language === 'persian' ? language : '',
      );
      const { tokens } = JSON.parse(await readFile(join(resources, 'vocab.json'), 'utf8')) as { tokens: string[] };
      const special = tokens.flatMap((token, id) => (/^<.*>$/.test(token) ? [id] : []));
      const parent = await mkdtemp(join(tmpdir(), 'foretoken-romanizer-'));
      try {
        await importRecurrentSteps(join(resources, 'decoder.onnx'), join(parent, 'model'), {
          encoder: join(resources, 'encoder.onnx'),
          mask: 'padding',
          symbols: { target: tokens, hidden: special, unknownTokenId: UNKNOWN, endTokenId: EOS },
          startTokenId: BOS,
          endTokenId: EOS,
          padTokenId: PAD,
        });
        await using model = await loadModel(join(parent, 'model'), { threads: 1 });
        const names = modelGoldens(`romanizer-${language}`) as readonly Romanized[];
        let equal = 0;
        let worst = 0;
        let best = 0;
        const target = model.part('autoregressive');
        for (const [at, beamSize] of WIDTHS.entries()) {
          for (const [ids, lists] of names) {
            const source = Int32Array.from(ids);
            const beams = await finishedInBeam(target, source, { beamSize, steps: MAX_STEPS, never: [PAD] });
            const found = listOf(beams, (tokenIds) => model.tokenizer.decode(tokenIds).trim());
            const same =
              lists[at].every(([text], place) => found[place]?.[0] === text) && found.length === lists[at].length;
            if (same) equal++;
            for (const [place, [, score]] of lists[at].entries()) {
              if (same) worst = Math.max(worst, Math.abs(found[place][1] - score));
            }
          }
          const own = beamSearch({ beamSize, badWords: [Int32Array.of(PAD)] });
          const sources = names.map(([ids]) => Int32Array.from(ids));
          const { results } = await collect(
            own.decode(target, { sources, maxNewTokens: MAX_STEPS - 1, minNewTokens: 1 }),
          );
          best += results.filter((result, row) => {
            return model.tokenizer.decode(result.best.tokenIds) === names[row][1][at][0]?.[0];
          }).length;
        }
        const cases = names.length * WIDTHS.length;
        const timed = await speedOverPackage(
          `romanizer-${language}`,
          folders['arabic-name-romanizer'],
          PARTS,
          async () => {
            for (const [ids] of names) {
              const source = Int32Array.from(ids);
              await finishedInBeam(target, source, { beamSize: 4, steps: MAX_STEPS, never: [PAD] });
            }
          },
        );
        return {
          family: model.manifest.family,
          ...timed,
          equal: equal / cases,
          worstLogitDifference: worst,
          details: { cases, bestOfOwnBeamEqual: best / cases, ...timed.details },
        };
      } finally {
        await rm(parent, { recursive: true, force: true });
      }
    },
  };
}

export const arabicRomanizer: ModelRow = romanizer('arabic');
export const persianRomanizer: ModelRow = romanizer('persian');
