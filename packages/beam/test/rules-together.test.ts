import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import { collect, type TokenConstraint } from '@foretoken/core';
import { logSoftmax, randomLogits, scriptedModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const END = 0;
const TOKENS = 4;
/** Branches of a group: more than all continuations of a step, so that nothing is pruned. */
const WIDE = 340;
const SOURCE = Int32Array.of(3);
const NEVER = Number.NEGATIVE_INFINITY;

type Output = readonly number[];

const anyTokens = (max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: max });
const maybe = <Value>(some: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(some, { nil: undefined, freq: 1 });

const anyCase = fc
  .record({
    seed: fc.nat(1e6),
    sharpness: fc.integer({ min: 1, max: 4 }),
    bias: maybe(fc.tuple(fc.nat(3), fc.constantFrom(2, 0.5, -2, NEVER))),
    frequencyPenalty: fc.constantFrom(0, -0.7, 0.5, -2),
    presencePenalty: fc.constantFrom(0, -1.5, 0.7),
    lift: fc.boolean(),
    /** Which tokens are allowed in each of six states. */
    allowed: maybe(
      fc.array(fc.array(fc.constantFrom(1, 1, 0), { minLength: 4, maxLength: 4 }), {
        minLength: 6,
        maxLength: 6,
      }),
    ),
    prefix: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    max: fc.integer({ min: 1, max: 4 }),
    min: fc.nat(4),
    /** Each ends an output, as further end tokens do. */
    stops: fc.array(anyTokens(2), { maxLength: 3 }),
    forced: maybe(fc.tuple(fc.nat(3), fc.nat(3))),
    phrase: maybe(anyTokens(2)),
    groups: fc.constantFrom(1, 2, 4),
    diversityPenalty: fc.constantFrom(0, 0.5, 3),
    lengthPenalty: fc.constantFrom(0, 1, -1, 0.6, 2),
    patience: fc.constantFrom(1 / WIDE, 3 / WIDE, 1),
  })
  .map(({ min, max, forced, prefix, ...rest }) => {
    const position = prefix.length + ((forced?.[0] ?? 0) % max);
    const least = Math.min(min, max);
    // A forced end before the minimum contradicts it, and is refused.
    const early = forced?.[1] === END && position - prefix.length < least;
    return { ...rest, prefix, max, min: early ? 0 : least, forced: forced && ([position, forced[1]] as const) };
  });
type Case = typeof anyCase extends fc.Arbitrary<infer Value> ? Value : never;

const endsWith = (output: Output, part: Output): boolean =>
  part.length <= output.length && part.every((id, index) => id === output[output.length - part.length + index]);

function isOver({ prefix, min, max, stops }: Case, output: Output): boolean {
  const made = output.length - prefix.length;
  return made >= max || (made >= min && stops.some((stop) => endsWith(output, stop)));
}

/** Log-probabilities after the rules, straight from their definitions. */
function ruled(given: Case, output: Output, logProbs: Float32Array): Float32Array {
  const scores = logProbs.slice();
  if (given.bias !== undefined) scores[given.bias[0]] += given.bias[1];
  for (const id of new Set(output)) {
    scores[id] -= given.frequencyPenalty * output.filter((other) => other === id).length + given.presencePenalty;
  }
  if (output.length - given.prefix.length < given.min) scores[END] = NEVER;
  if (output.length === given.forced?.[0]) {
    const score = scores[given.forced[1]];
    scores.fill(NEVER);
    scores[given.forced[1]] = score === NEVER ? 0 : score;
  }
  if (given.allowed !== undefined) {
    const allowed = given.allowed[output.reduce(stateAfter, 0)];
    for (let id = 0; id < TOKENS; id++) if (allowed[id] !== 1) scores[id] = NEVER;
  }
  if (given.lift) scores[1 + (output.length % 3)] += 1;
  return scores;
}

const stateAfter = (state: number, tokenId: number): number => (2 * state + tokenId) % 6;

/** Scores of all outputs that the rules allow, by their joined tokens, the better of two that end in different ways. */
function everyOutput(given: Case, logProbs: (output: Output) => Float32Array): Map<string, number> {
  const found = new Map<string, number>();
  const visit = (output: Output, sum: number): void => {
    for (const [id, logProb] of ruled(given, output, logProbs(output)).entries()) {
      if (logProb === NEVER) continue;
      const grown = id === END ? output : [...output, id];
      if (id !== END && !isOver(given, grown)) {
        visit(grown, sum + logProb);
        continue;
      }
      const { phrase = [] } = given;
      if (!grown.some((_, from) => endsWith(grown.slice(0, from + 1), phrase)) && phrase.length > 0) continue;
      const score = (sum + logProb) / (output.length - given.prefix.length + 1) ** given.lengthPenalty;
      found.set(grown.join(), Math.max(score, found.get(grown.join()) ?? NEVER));
    }
  };
  visit(given.prefix, 0);
  return found;
}

function optionsOf(given: Case, groups: number): BeamSearchOptions {
  const { bias, allowed, forced, phrase, lift, frequencyPenalty, presencePenalty, lengthPenalty, patience } = given;
  const masks = allowed?.map((ids) => Uint8Array.from({ length: WIDE * groups }, (_, id) => ids[id] ?? 0));
  const constraint: TokenConstraint<number> | undefined = masks && {
    start: () => 0,
    allowed: (state) => masks[state],
    next: stateAfter,
  };
  return {
    logitBias: bias && { [bias[0]]: bias[1] },
    frequencyPenalty,
    presencePenalty,
    forcedTokens: forced && { [forced[0]]: forced[1] },
    constraint: constraint as TokenConstraint | undefined,
    processors: lift
      ? [(scores, { output }) => scores.set([scores[1 + (output.length % 3)] + 1], 1 + (output.length % 3))]
      : [],
    phrases: phrase && [Int32Array.from(phrase)],
    lengthPenalty,
    beamSize: WIDE * groups,
    groups,
    diversityPenalty: groups > 1 ? given.diversityPenalty : undefined,
    patience: patience / groups,
    stopWhen: 'improvement-impossible',
  };
}

it('rules that raise, prefixes, groups, phrases, constraints, stops and a minimum together: the best of all outputs', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(anyCase, async (given) => {
      const { seed, sharpness, prefix, min, max, stops, phrase } = given;
      // Outputs that are over within their prefix have tests of their own.
      if (prefix.some((_, at) => stops.some((stop) => endsWith(prefix.slice(0, at + 1), stop)))) return;
      const groups = phrase === undefined ? given.groups : 1;
      const score = randomLogits({ seed, vocabularySize: TOKENS, endTokenId: END, typicalLength: 4, sharpness });
      const padding = new Array<number>(WIDE * groups - TOKENS).fill(NEVER);
      const model = scriptedModel({
        vocabularySize: WIDE * groups,
        score: (source, output) => [...Array.from(score(source, output)), ...padding],
      });
      const wanted = everyOutput(given, (output) => logSoftmax(score(SOURCE, output)));
      const request = {
        sources: [SOURCE],
        maxNewTokens: max,
        minNewTokens: min,
        stopSequences: stops.map((stop) => Int32Array.from(stop)),
        outputPrefixes: [Int32Array.from(prefix)],
      };
      const decoding = collect(beamSearch(optionsOf(given, groups)).decode(model, request));
      if (wanted.size === 0) {
        await expect(decoding).rejects.toMatchObject({ code: 'UNSATISFIABLE_CONSTRAINT' });
        return;
      }
      let best: Awaited<typeof decoding>['results'][number]['best'];
      try {
        best = (await decoding).results[0].best;
      } catch (error) {
        // The constraint may rule out the prefix itself.
        expect(error).toMatchObject({ code: 'UNSATISFIABLE_CONSTRAINT', details: { option: 'constraint' } });
        return;
      }
      const most = Math.max(...wanted.values());
      const digits = Math.abs(most) > 10 ? 2 : 4;
      expect(best.score).toBeCloseTo(most, digits);
      expect(wanted.get(best.tokenIds.join())).toBeCloseTo(most, digits);
      compared++;
    }),
    { numRuns: 150, seed: 13 },
  );
  expect(compared).toBeGreaterThan(70);
});
