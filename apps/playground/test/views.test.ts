import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DecodeEvent } from '@foretoken/core';
import type { Trace } from '@foretoken/streams';
import { readTrace } from '@foretoken/streams';
import { describe, expect, it } from 'vitest';
import { ABOUT } from '../src/app/about-strategies.js';
import { STRATEGIES } from '../src/run/strategies.js';
import { committedTokens, provisionalTokens, revisionsOf, roundsOf, unsteadiness } from '../src/trace/steps.js';
import { durationOf, resultOf } from '../src/trace/trace.js';
import { acceptanceHistogram, shareInWords, speedups } from '../src/views/acceptance.js';
import { viewsOf } from '../src/views/all-views.js';
import { type BeamNode, beamTree } from '../src/views/beam-tree.js';
import { iterationsOf } from '../src/views/canvas.js';
import { tokenCurve } from '../src/views/curve.js';
import { dagOf } from '../src/views/dag.js';
import { divergenceOf, marginInWords } from '../src/views/divergence.js';
import { editSteps } from '../src/views/edits.js';
import { collapsed, framesOf } from '../src/views/frames.js';
import { timelineSteps } from '../src/views/timeline.js';

const FOLDER = fileURLToPath(new URL('../traces/', import.meta.url));

const recorded = (name: string): Trace => readTrace(readFileSync(`${FOLDER}${name}.jsonl`, 'utf8'));

const output = (trace: Trace): number[] => [...resultOf(trace).best.tokenIds];

/** A speculative decode, by its rounds: draft tokens with parents, what was committed, how much of it was accepted. */
function speculation(
  ...rounds: readonly { draft: number[]; parents?: number[]; commit: number[]; accepted: number }[]
): Trace {
  const events: DecodeEvent[] = [];
  const tokens: number[] = [];
  for (const [round, { draft, parents, commit, accepted }] of rounds.entries()) {
    const tokenIds = Int32Array.from(commit);
    const atMs = round + 1;
    if (commit.length > 0) events.push({ type: 'token-commit', row: 0, position: tokens.length, tokenIds, atMs });
    tokens.push(...commit);
    const tree = {
      tokenIds: Int32Array.from(draft),
      parents: Int32Array.from(parents ?? draft.map((_, index) => index - 1)),
    };
    const counts = { depth: draft.length, proposed: draft.length, evaluated: draft.length, accepted };
    events.push({ type: 'draft-end', row: 0, round, ...counts, draft: tree, atMs });
  }
  const best = { tokenIds: Int32Array.from(tokens), finishReason: 'end-token' as const };
  const statistics = { forwards: rounds.length, tokens: tokens.length, totalMs: rounds.length };
  events.push({ type: 'decode-end', results: [{ row: 0, best, hypotheses: [best] }], statistics, atMs: rounds.length });
  return { events, header: { ...recorded('speculative').header, ceiling: { forwards: 1, milliseconds: 1 } } };
}

describe('rounds of drafts', () => {
  it('tell what was accepted, rejected, corrected, a bonus, and the model alone', () => {
    const trace = speculation(
      { draft: [1, 2, 3], commit: [1, 2, 9], accepted: 2 },
      { draft: [4, 5], commit: [4, 5, 6], accepted: 2 },
      { draft: [], commit: [7], accepted: 0 },
      { draft: [8], commit: [8], accepted: 1 },
    );
    const told = roundsOf(trace).map(({ draft, own }) => [draft.map(({ fate }) => fate[0]).join(''), own?.fate]);
    expect(told).toEqual([
      ['aar', 'corrected'],
      ['aa', 'bonus'],
      ['', 'own'],
      ['a', undefined],
    ]);
    expect(committedTokens(trace).map(({ fate }) => fate)).toEqual([
      'accepted',
      'accepted',
      'corrected',
      'accepted',
      'accepted',
      'bonus',
      'own',
      'accepted',
    ]);
    expect(acceptanceHistogram(trace)).toEqual([1, 1, 2, 0]);
  });

  it('follow the path of a tree that was taken', () => {
    const trace = speculation({ draft: [1, 2, 3, 4], parents: [-1, -1, 1, 1], commit: [2, 4, 7], accepted: 2 });
    const [{ draft, own }] = roundsOf(trace);
    expect(draft.map(({ fate }) => fate)).toEqual(['rejected', 'accepted', 'rejected', 'accepted']);
    expect(own).toEqual({ tokenId: 7, fate: 'bonus' });
  });

  it('tell apart what is said on several paths of a tree', () => {
    const trace = speculation({ draft: [5, 6, 5, 6], parents: [-1, -1, 1, 0], commit: [6, 5], accepted: 2 });
    const [{ draft, own }] = roundsOf(trace);
    expect(draft.map(({ fate }) => fate)).toEqual(['rejected', 'accepted', 'accepted', 'rejected']);
    expect(own).toBeUndefined();
  });

  it('are compared with greedy and with perfect drafts', () => {
    const trace = speculation({ draft: [1], commit: [1, 2], accepted: 1 }, { draft: [1], commit: [3], accepted: 0 });
    const greedy = speculation(
      { draft: [], commit: [1], accepted: 0 },
      { draft: [], commit: [2], accepted: 0 },
      { draft: [], commit: [3], accepted: 0 },
    );
    const slow: Trace = { ...greedy, header: { ...greedy.header, strategy: 'greedy' } };
    expect(speedups(trace, [slow, trace])).toEqual({ own: 1.5, max: 3, share: 0.25 });
    expect(speedups(trace, [trace])).toEqual({ own: undefined, max: undefined, share: undefined });
  });

  it.each([
    [1.5, 0.25, '25 %'],
    [0.46, -24.45, 'none: slower than greedy'],
    [1.42, 2.67, 'not certain: times too unsteady'],
  ])('%d times as fast as greedy, share %d of the ceiling: %s', (own, share, words) => {
    expect(shareInWords(own, share)).toBe(words);
  });

  it('the slowest run against the fastest says how steady times are, where runs were not chosen for them', () => {
    const { header, ...rest } = recorded('speculative');
    const of = (chosen: 'middle' | 'fastest', repeats: number[]): Trace => ({
      ...rest,
      header: { ...header, chosen, repeats },
    });
    expect(unsteadiness([of('middle', [2, 3]), of('middle', [1, 4, 2])])).toBe(4);
    expect(unsteadiness([of('fastest', [1, 4])])).toBe(1);
    expect(unsteadiness([of('middle', [0])])).toBe(1);
  });
});

describe('what a lane shows before its output is final', () => {
  it.each(['beam', 'mask-predict', 'levenshtein', 'diffusion'])('%s: each revision, until the end', (name) => {
    const trace = recorded(name);
    const revisions = revisionsOf(trace);
    const end = durationOf(trace);
    expect(provisionalTokens(trace, -1)).toEqual([]);
    const early = revisions.filter(({ atMs }) => atMs < (committedTokens(trace)[0]?.atMs ?? end));
    expect(early.length).toBeGreaterThan(1);
    for (const [index, { atMs, tokenIds }] of early.entries()) {
      if (early[index + 1]?.atMs !== atMs) expect(provisionalTokens(trace, atMs)).toEqual([...tokenIds]);
    }
    expect(provisionalTokens(trace, end)).toEqual([]);
  });

  it('greedy: nothing, since each token is final', () => {
    const trace = recorded('greedy');
    expect(provisionalTokens(trace, durationOf(trace) / 2)).toEqual([]);
  });
});

describe('pictures of recorded decodes', () => {
  it.each([
    ['greedy', []],
    ['speculative', ['drafts', 'acceptance', 'divergence']],
    ['beam', ['beam', 'divergence']],
    ['ctc', ['frames', 'divergence']],
    ['dag', ['dag', 'divergence']],
    ['mask-predict', ['canvas', 'divergence']],
    ['levenshtein', ['edits', 'divergence']],
    ['diffusion', ['canvas', 'divergence']],
  ])('%s has the views %j', (name, views) => {
    const trace = recorded(name);
    expect(viewsOf(trace, [recorded('greedy'), trace]).map(({ id }) => id)).toEqual(views);
    expect(viewsOf(trace, [trace]).map(({ id }) => id)).toEqual(
      views.filter((id) => id !== 'divergence' || name === 'greedy'),
    );
  });

  it('a beam tree holds every branch of every step, and the output as its best path', () => {
    const trace = recorded('beam');
    const root = beamTree(trace);
    const paths = new Set<string>();
    const best: number[] = [];
    const walk = (node: BeamNode, path: readonly number[]): void => {
      paths.add(path.join());
      if (node.best && node.tokenId !== undefined) best.push(node.tokenId);
      for (const child of node.children) walk(child, [...path, child.tokenId ?? -1]);
    };
    walk(root, []);
    for (const { branches = [] } of revisionsOf(trace)) {
      for (const { tokenIds } of branches) expect(paths).toContain(tokenIds.join());
    }
    expect(best).toEqual(output(trace));
  });

  it('frames collapse to the output', () => {
    for (const name of ['ctc', 'correct-ctc']) {
      const trace = recorded(name);
      const runs = collapsed(framesOf(trace));
      expect(runs.reduce((sum, { span }) => sum + span, 0)).toBe(framesOf(trace).length);
      // Frames that say nothing are one run, however many they are.
      expect(
        runs.some(({ text }, index) => text === undefined && index > 0 && runs[index - 1].text === undefined),
      ).toBe(false);
      const said = runs.flatMap(({ text }) => (text === undefined ? [] : [text]));
      expect(said).toEqual(output(trace).map((tokenId) => trace.header.tokens[tokenId]));
    }
  });

  it('the chosen vertices of a graph say the output, one after the other', () => {
    const trace = recorded('dag');
    const { vertices, edges } = dagOf(trace);
    const chosen = vertices.filter((vertex) => vertex.chosen);
    expect(chosen.slice(1).map(({ text }) => text)).toEqual(
      output(trace).map((tokenId) => trace.header.tokens[tokenId]),
    );
    expect(edges.filter((edge) => edge.chosen).map(({ from, to }) => [from, to])).toEqual(
      chosen.slice(1).map(({ vertex }, index) => [chosen[index].vertex, vertex]),
    );
  });

  it('the last iteration of a canvas is the output, and nothing is decided twice in silence', () => {
    for (const name of ['mask-predict', 'diffusion']) {
      const trace = recorded(name);
      const iterations = iterationsOf(trace);
      expect(iterations.at(-1)?.cells.map(({ tokenId }) => tokenId)).toEqual(output(trace));
      for (const [index, { cells }] of iterations.entries()) {
        for (const [position, { state, tokenId }] of cells.entries()) {
          if (state !== 'kept') continue;
          expect(iterations[index - 1].cells[position].tokenId).toBe(tokenId);
        }
      }
    }
    expect(
      iterationsOf(recorded('diffusion'))
        .at(-1)
        ?.cells.some(({ state }) => state === 'given'),
    ).toBe(true);
  });

  it('what edits leave is the text before less what they deleted', () => {
    const trace = recorded('levenshtein');
    const steps = editSteps(trace);
    const texts = steps.map(({ tokens }) => tokens.filter(({ state }) => state !== 'deleted').map(({ text }) => text));
    expect(texts.at(-1)).toEqual(output(trace).map((tokenId) => trace.header.tokens[tokenId]));
    for (const [index, { tokens }] of steps.entries()) {
      if (index === 0) continue;
      const stayed = tokens.filter(({ state }) => state === 'kept' || state === 'deleted').map(({ text }) => text);
      const before = texts[index - 1].join('|');
      expect(stayed.every((text) => before.includes(text))).toBe(true);
    }
    expect(steps.map(({ what }) => what)).toContain('Filled');
  });

  it('a time line and a curve hold every token once', () => {
    for (const name of ['greedy', 'speculative', 'beam', 'ctc', 'levenshtein']) {
      const trace = recorded(name);
      expect(timelineSteps(trace).reduce((sum, { tokens }) => sum + tokens, 0)).toBe(output(trace).length);
      expect(tokenCurve(trace).at(-1)?.tokens).toBe(output(trace).length);
    }
  });

  it('divergence: none of speculative decoding, the first token and its margin of another', () => {
    const greedy = recorded('greedy');
    expect(divergenceOf(recorded('speculative'), greedy).position).toBeUndefined();
    const ctc = recorded('ctc');
    const { position = -1, greedyToken, token } = divergenceOf(ctc, greedy);
    expect(output(ctc).slice(0, position)).toEqual(output(greedy).slice(0, position));
    expect([greedyToken, token]).toEqual([output(greedy)[position], output(ctc)[position]]);
    const changed = structuredClone(greedy);
    const there = resultOf(greedy).best.alternatives?.[3];
    (resultOf(changed).best.tokenIds as Int32Array)[3] = there?.tokenIds[1] ?? 0;
    const { margin = Number.NaN } = divergenceOf(changed, greedy);
    expect(margin).toBeCloseTo((there?.logProbs[0] ?? 0) - (there?.logProbs[1] ?? 0));
  });
});

it('says what a margin means', () => {
  expect(marginInWords(0)).toBe('0.00 (1.0 times as probable)');
  expect(marginInWords(Math.log(3.3))).toBe('1.19 (3.3 times as probable)');
  expect(marginInWords(5)).toBe('5.00 (148 times as probable)');
});

it('says of every strategy what it does', () => {
  expect(Object.keys(ABOUT)).toEqual(STRATEGIES.map(({ id }) => id));
});
