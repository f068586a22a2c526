import { type AutoregressiveModel, type Decoder, ForetokenError, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { assertCode, autoregressiveConformance, collectOutcomes } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { COMMON_LAWS, lateToFinish } from './careless-decoders.js';
import { type GreedyFault, minimalGreedy } from './minimal-greedy.js';

type Model = AutoregressiveModel<TokenSource>;

/** Names of the laws that a decoder breaks. */
async function brokenLaws(createDecoder: () => Decoder<Model>): Promise<string[]> {
  const outcomes = await collectOutcomes((runner) =>
    autoregressiveConformance({ runner, name: 'mutant', createDecoder, models: 12 }),
  );
  expect(outcomes.length).toBeGreaterThan(8);
  return outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name);
}

describe('the decoder suite', () => {
  it('passes a minimal correct decoder', async () => {
    expect(await brokenLaws(() => minimalGreedy('none'))).toEqual([]);
  });

  const STOPS = 'stops every row at a stop sequence, and with the token that completes a stop string';
  const OVER_AT_ONCE = 'lets go of rows that are over before the first forward, or refuses their prefixes';
  const CACHED = 'reads of a prompt what is not cached, with the same outputs and counts';
  const caught: Readonly<Record<Exclude<GreedyFault, 'none'>, string>> = {
    'ignores the limit': 'cuts at maxNewTokens exactly',
    'limits all rows as the first': 'cuts at maxNewTokens exactly',
    'ignores stop sequences': STOPS,
    'ignores stop strings': STOPS,
    'ignores output prefixes': 'starts inside an output, or refuses to',
    'keeps the end token': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'leaks its forest': 'releases everything when a forward fails or the reader stops reading',
    'computes after an abort': 'stops at an abort, throws its reason and releases everything',
    'keeps the thread to itself': 'lets other work have a turn within a step, so that an abort from there ends it',
    'sees an abort one forward late': 'stops at an abort, throws its reason and releases everything',
    'skips validation': 'refuses bad requests by code before it opens anything',
    'opens before checking the model': 'is refused before any compute by a model that lacks what it requires',
    'lets rows influence one another': 'gives a row of a batch what it gives the row alone',
    'never finishes a row': 'lets go of a row once it is over, and extends it no more',
    'never finishes a row and goes on feeding it': 'lets go of a row once it is over, and extends it no more',
    'swallows a failed forward': 'releases everything when a forward fails or the reader stops reading',
    'obeys stop sequences in row 0 only': STOPS,
    'obeys stop strings in row 0 only': STOPS,
    'finds stop strings at the borders of tokens only': STOPS,
    'returns nothing where there is a limit': 'cuts at maxNewTokens exactly',
    'reports length for the end token': 'says that an output ended with the end token unless it is as long as may be',
    'reports a time that is none': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'reports drafts that it never made': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'ranks another hypothesis best': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'counts too few forwards': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'forgets a commit': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'shares state between decodes': 'serves two decodes of different sources at once',
    'reads again what is cached': CACHED,
    'takes what is cached for the whole prompt': CACHED,
  };
  for (const [fault, law] of Object.entries(caught)) {
    it(`catches a decoder that ${fault}`, async () => {
      const decoder = minimalGreedy(fault as GreedyFault);
      expect(await brokenLaws(() => decoder)).toContain(law);
    });
  }

  it('catches a decoder that never finishes rows that are over before the first forward', async () => {
    expect(await brokenLaws(() => lateToFinish(greedy()))).toEqual([OVER_AT_ONCE]);
  });

  it('has no law that cannot fail', async () => {
    const outcomes = await collectOutcomes((runner) =>
      autoregressiveConformance({ runner, name: 'correct', createDecoder: () => minimalGreedy('none'), models: 12 }),
    );
    expect(new Set([...Object.values(caught), OVER_AT_ONCE, ...COMMON_LAWS])).toEqual(
      new Set(outcomes.map(({ name }) => name)),
    );
  });
});

describe('assertCode', () => {
  it('accepts the code and nothing else', async () => {
    const error = new ForetokenError('DISPOSED', 'gone');
    await assertCode(() => Promise.reject(error), 'DISPOSED');
    await expect(assertCode(() => Promise.reject(error), 'EMPTY_SOURCE')).rejects.toThrow();
    await expect(assertCode(() => Promise.reject(new Error('other')), 'DISPOSED')).rejects.toThrow();
    await expect(assertCode(() => Promise.resolve(), 'DISPOSED')).rejects.toThrow();
  });
});
