import { readFileSync } from 'node:fs';
import { type CtcLattice, collect, type Decoder, type LatticeModel, type TokenSource } from '@foretoken/core';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';
import { latticesModel, outputLogProb } from './ctc-oracle.js';

interface Line {
  readonly rendered: string;
  readonly rapidOcr: string;
  /** `[frames, k]`. */
  readonly tokenIds: readonly number[];
  readonly logProbs: readonly number[];
  readonly blankLogProbs: readonly number[];
}

interface Goldens {
  readonly classes: number;
  readonly blankId: number;
  readonly k: number;
  readonly characters: Readonly<Record<string, string>>;
  readonly lines: readonly Line[];
}

const { classes, blankId, k, characters, lines }: Goldens = JSON.parse(
  readFileSync(new URL('goldens/ocr.json', import.meta.url), 'utf8'),
);

const lattices = lines.map(
  ({ tokenIds, logProbs, blankLogProbs }): CtcLattice => ({
    kind: 'ctc',
    frames: blankLogProbs.length,
    k,
    blankId,
    tokenIds: Int32Array.from(tokenIds),
    logProbs: Float32Array.from(logProbs),
    blankLogProbs: Float32Array.from(blankLogProbs),
  }),
);

const textOf = (tokenIds: Int32Array): string => Array.from(tokenIds, (id) => characters[id]).join('');

async function decode(decoder: Decoder<LatticeModel<TokenSource>>) {
  const sources = lines.map(() => Int32Array.of(1));
  const { results } = await collect(decoder.decode(latticesModel(lattices, classes), { sources }));
  return results.map(({ hypotheses }) => hypotheses);
}

describe('lattices of a text recogniser', () => {
  it('read by greedy decoding are what RapidOCR reads', async () => {
    const found = await decode(ctcGreedy({ alignments: true }));
    expect(found.map(([best]) => textOf(best?.tokenIds))).toEqual(lines.map(({ rapidOcr }) => rapidOcr));
  });

  it('read by prefix beam search score at least as well', async () => {
    const greedy = await decode(ctcGreedy());
    const beam = await decode(ctcPrefixBeam({ candidates: k }));
    for (const [row, lattice] of lattices.entries()) {
      const exact = outputLogProb(lattice, Array.from(greedy[row]?.[0]?.tokenIds));
      expect(beam[row]?.[0]?.score).toBeGreaterThanOrEqual(exact - 1e-9);
      const own = outputLogProb(lattice, Array.from(beam[row]?.[0]?.tokenIds));
      expect(beam[row]?.[0]?.score).toBeCloseTo(own, 9);
    }
  });

  it('find their characters from left to right', async () => {
    for (const hypotheses of await decode(ctcPrefixBeam({ candidates: k, alignments: true, hypotheses: 3 }))) {
      for (const { tokenIds, alignment } of hypotheses) {
        expect(alignment?.firstFrames.length).toBe(tokenIds.length);
        alignment?.firstFrames.forEach((first, token) => {
          expect(first).toBeLessThanOrEqual(alignment.lastFrames[token]);
          expect(first).toBeGreaterThan(alignment.lastFrames[token - 1] ?? -1);
        });
      }
    }
  });

  it('give what a hot word wishes for', async () => {
    const idOf = new Map(Object.entries(characters).map(([id, character]) => [character, Number(id)]));
    const phrase = Array.from('1l1I', (character) => idOf.get(character) as number);
    expect(phrase).not.toContain(undefined);
    const hot = ctcPrefixBeam({ candidates: k, beamSize: 64, hotWords: [{ tokenIds: phrase, bonus: 40 }] });
    const row = lines.findIndex(({ rendered }) => rendered.endsWith('1l1I'));
    expect(textOf((await decode(hot))[row]?.[0]?.tokenIds)).toContain('1l1I');
    expect(lines[row]?.rapidOcr).not.toContain('1l1I');
  });
});
