import type { DecodeEvent, DraftEndEvent } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { speculative, statisticsOfOthers } from '../src/index.js';
import { anyCase, decodeBoth, type Factory } from './any-case.js';

/** A round in which so many tokens were offered, scored and accepted. */
const round = (proposed: number, evaluated: number, accepted: number): DraftEndEvent => ({
  type: 'draft-end',
  atMs: 0,
  row: 0,
  round: 0,
  depth: evaluated,
  proposed,
  evaluated,
  accepted,
  draft: { tokenIds: new Int32Array(evaluated), parents: new Int32Array(evaluated) },
});

describe('under the names of vLLM and llama.cpp', () => {
  it('a round that drafts nothing is no draft, and what is not verified is not counted', () => {
    const { vllm, llamaCpp } = statisticsOfOthers([
      round(4, 4, 4),
      round(4, 3, 1),
      round(2, 2, 0),
      round(0, 0, 0),
      round(3, 0, 0),
    ]);
    expect(vllm).toEqual({
      num_drafts: 3,
      num_draft_tokens: 9,
      num_accepted_tokens: 5,
      num_accepted_tokens_per_pos: [2, 1, 1, 1],
      draft_acceptance_rate: 5 / 9,
      acceptance_rate_per_pos: [2 / 3, 1 / 3, 1 / 3, 1 / 3],
      mean_acceptance_length: 1 + 5 / 3,
    });
    expect(llamaCpp).toEqual({ n_drafted: 9, n_accept: 5, draft_n: 9, draft_n_accepted: 5 });
  });

  it('nothing is drafted where there are no events', () => {
    const { vllm, llamaCpp } = statisticsOfOthers([]);
    expect(vllm).toMatchObject({ num_drafts: 0, draft_acceptance_rate: 0, mean_acceptance_length: 1 });
    expect(vllm.num_accepted_tokens_per_pos).toEqual([]);
    expect(llamaCpp).toEqual({ n_drafted: 0, n_accept: 0, draft_n: 0, draft_n_accepted: 0 });
  });

  it('agree with the statistics of whatever decode, and with the tokens that were committed', async () => {
    let drafted = 0;
    await fc.assert(
      fc.asyncProperty(anyCase, async (one) => {
        const events: DecodeEvent[] = [];
        const recording: Factory = (options) => {
          const decoder = speculative(options);
          return {
            ...decoder,
            async *decode(model, request) {
              for await (const event of decoder.decode(model, request)) {
                events.push(event);
                yield event;
              }
            },
          };
        };
        await decodeBoth(one, recording);
        const end = events.at(-1);
        if (end?.type !== 'decode-end') throw new Error('The decode has no end.');
        const { speculation, tokens } = end.statistics;
        const { vllm, llamaCpp } = statisticsOfOthers(events);
        expect(vllm.num_draft_tokens).toBe(speculation?.evaluated);
        expect(vllm.num_accepted_tokens).toBe(speculation?.accepted);
        expect(llamaCpp).toEqual({
          n_drafted: speculation?.evaluated,
          n_accept: speculation?.accepted,
          draft_n: speculation?.evaluated,
          draft_n_accepted: speculation?.accepted,
        });
        const counts = vllm.num_accepted_tokens_per_pos;
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(vllm.num_accepted_tokens);
        // Whoever is accepted at a place was accepted before it.
        expect([...counts]).toEqual([...counts].sort((left, right) => right - left));
        expect(counts.every((count) => count <= vllm.num_drafts)).toBe(true);
        expect(vllm.num_accepted_tokens).toBeLessThanOrEqual(tokens);
        drafted += vllm.num_drafts;
      }),
      { numRuns: 300, seed: 11 },
    );
    expect(drafted).toBeGreaterThan(300);
  });

  it('refuses what is no list of events, by name', () => {
    const wrong: readonly unknown[] = [
      undefined,
      'events',
      [null],
      [{ type: 5 }],
      [{ type: 'draft-end', evaluated: Number.NaN, accepted: 0 }],
      [{ type: 'draft-end', evaluated: 2, accepted: 3 }],
    ];
    for (const events of wrong) {
      expect(() => statisticsOfOthers(events as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
