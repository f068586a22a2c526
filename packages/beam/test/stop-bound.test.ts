import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import {
  type Beam,
  EMPTY,
  END,
  LIMIT,
  PENALTIES,
  RULES,
  referenceBeam,
  referenceStep,
  ruled,
  type Score,
  type Scored,
  SOURCE,
  scoreOf,
  search,
} from './reference-beam.js';

/** Rules of the list that keep log-probabilities at 0 or below. */
const BOUNDED = new Set([0, 3, 7, 9]);

/** Groups that avoid one another's tokens; each stops where no running branch of its own can still come in. */
function referenceGroups(score: Score, rule: number, options: BeamSearchOptions, penalty: number): Scored[] {
  const { beamSize = 4, lengthPenalty = 1 } = options;
  const over = ({ running, finished }: Beam): boolean => {
    if (!BOUNDED.has(rule) || finished.length < beamSize || running.length === 0) return false;
    const lengths = Array.from({ length: LIMIT - running[0].output.length }, (_, more) => LIMIT - more);
    const shortest = running[0].output.length;
    const bound = (logProb: number): number =>
      Math.max(...[shortest, ...(lengthPenalty > 0 ? lengths : [])].map((length) => logProb / length ** lengthPenalty));
    return running.every(({ logProb }) => bound(logProb) <= finished.at(-1)!.score);
  };
  let beams = [EMPTY, EMPTY];
  while (beams.some(({ running }) => running.length > 0)) {
    const taken: number[] = [];
    beams = beams.map((beam) => {
      if (beam.running.length === 0) return beam;
      const next = referenceStep(score, options, beam, (id) => penalty * taken.filter((other) => other === id).length);
      taken.push(...next.taken.filter((id) => id !== END));
      return over(next) ? { ...next, running: [] } : next;
    });
  }
  const best = beams.flatMap(({ finished }) => finished).sort((a, b) => b.score - a.score);
  return best.filter(({ output }, at) => best.findIndex((other) => other.output.join() === output.join()) === at);
}

/** Every output with its score after the rules. */
function everyOutput(score: Score, options: BeamSearchOptions): Scored[] {
  const { lengthPenalty = 1 } = options;
  const found: Scored[] = [];
  const visit = (output: readonly number[], logProb: number): void => {
    for (const [id, step] of ruled(score, output, options).entries()) {
      const next = logProb + step;
      const grown = id === END ? output : [...output, id];
      if (id === END || grown.length === LIMIT) {
        found.push({ output: grown, logProb: next, score: next / (output.length + 1) ** lengthPenalty });
      } else visit(grown, next);
    }
  };
  visit([], 0);
  return found.sort((a, b) => b.score - a.score);
}

describe('when a beam search stops', () => {
  it('sees that a rule will raise what is behind', async () => {
    const table = [
      [0.5, 0.3, 1e-6, 0.2],
      [0.05, 0.03, 0.9, 0.02],
      [0.9, 0.04, 0.03, 0.03],
    ];
    const score: Score = (_, output) => table[Math.min(output.length, 2)].map(Math.log);
    const options = { beamSize: 1, lengthPenalty: 0, logitBias: { 2: 2 } } as const;
    const model = scriptedModel({ vocabularySize: 4, score });
    const decoder = beamSearch({ ...options, stopWhen: 'improvement-impossible' });
    const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 4 }));
    expect([...results[0].best.tokenIds]).toEqual([1, 2]);
    expect(results[0].best.score).toBeCloseTo(0.585, 3);
  });

  it.each<[string, BeamSearchOptions]>([
    ['a bias', { logitBias: { 1: 1.5 } }],
    ['a frequency penalty', { frequencyPenalty: -1.5 }],
    ['a presence penalty', { presencePenalty: -1.5 }],
    ['a processor', { processors: [(scores) => scores.set([scores[1] + 1.5], 1)] }],
  ])('sees that %s may raise a hypothesis that is behind', async (_, rules) => {
    // The end leads at first; what repeats token 1 overtakes it, since the rule adds 1.5 to a log-probability of -0.1.
    const score: Score = (_source, output) =>
      (output.length === 0 ? [0.9, 0.06, 0.02, 0.02] : [0.05, 0.9, 0.03, 0.02]).map(Math.log);
    const options: BeamSearchOptions = { ...rules, beamSize: 1, lengthPenalty: 0, stopWhen: 'improvement-impossible' };
    const [best] = await search(score, options);
    expect(best?.output).toEqual([1, 1, 1, 1, 1]);
    expect(best?.ranked).toBeGreaterThan(0);
  });

  it('improvement-unlikely and full: stop as they say, whatever the rules', async () => {
    for (let seed = 1; seed <= 1000; seed++) {
      const score = scoreOf(seed);
      const {
        beamSize = 4,
        lengthPenalty = 1,
        ...rules
      }: BeamSearchOptions = {
        ...RULES[seed % RULES.length],
        beamSize: 1 + (Math.floor(seed / 12) % 4),
        lengthPenalty: PENALTIES[seed % PENALTIES.length],
      };
      const options: BeamSearchOptions = { ...rules, beamSize, lengthPenalty, hypotheses: beamSize };
      const unlikely = referenceBeam(score, options, (finished, running) => {
        const best = running[0];
        return best.logProb / best.output.length ** lengthPenalty <= finished.at(-1)!.score;
      });
      const outputs = async (stopWhen: 'full' | 'improvement-unlikely') =>
        (await search(score, { ...options, stopWhen })).map(({ output }) => output);
      expect(await outputs('improvement-unlikely'), `seed ${seed}`).toEqual(unlikely.map(({ output }) => output));
      const full = referenceBeam(score, options, () => true);
      expect(await outputs('full'), `seed ${seed}`).toEqual(full.map(({ output }) => output));
    }
  });

  it('improvement-impossible: finds the best of all outputs where the beam holds everything, plain and with phrases', async () => {
    for (let seed = 1; seed <= 48; seed++) {
      const score = scoreOf(seed);
      const rules = RULES[seed % RULES.length];
      const lengthPenalty = PENALTIES[seed % PENALTIES.length];
      const all = everyOutput(score, { ...rules, lengthPenalty });
      const wide = { ...rules, lengthPenalty, beamSize: 400, stopWhen: 'improvement-impossible' } as const;
      // Few finished hypotheses fill this beam, so that it has something to stop for.
      const patience = 1 / 200;
      const [plain] = await search(score, { ...wide, patience }, 400);
      expect(plain?.ranked, `seed ${seed}`).toBeCloseTo(all[0].score, 4);
      const phrase = 1 + (seed % 3);
      const said = all.filter(({ output }) => output.includes(phrase));
      const [constrained] = await search(score, { ...wide, patience, phrases: [Int32Array.of(phrase)] }, 400);
      expect(constrained?.ranked, `seed ${seed}`).toBeCloseTo(said[0].score, 4);
    }
  });

  it('improvement-impossible: a group goes on while any of its branches may still come in', async () => {
    let early = 0;
    for (let seed = 1; seed <= 1500; seed++) {
      const score = scoreOf(seed);
      const rule = seed % RULES.length;
      const rules = { ...RULES[rule], lengthPenalty: PENALTIES[seed % PENALTIES.length] };
      const beamSize = 1 + (Math.floor(seed / 12) % 3);
      const diversityPenalty = [0, 0.5, 1.5, 3][Math.floor(seed / 36) % 4];
      const expected = referenceGroups(score, rule, { ...rules, beamSize }, diversityPenalty);
      const groups = { ...rules, beamSize: 2 * beamSize, groups: 2, hypotheses: 2 * beamSize, diversityPenalty };
      const found = await search(score, { ...groups, stopWhen: 'improvement-impossible' }, 6);
      expect(
        found.map(({ output }) => output),
        `seed ${seed}`,
      ).toEqual(expected.map(({ output }) => output));
      const [stopped] = await search(score, { ...groups, stopWhen: 'full' }, 6);
      if (stopped.ranked < found[0].ranked - 1e-4) early++;
    }
    expect(early).toBeGreaterThan(20);
  });
});
