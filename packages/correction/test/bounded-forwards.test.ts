import { describe, expect, it } from 'vitest';
import { createCorrector } from '../src/index.js';
import { scriptedCorrector } from './scripted-corrector.js';

/** Drafts of 64 tokens, and what was decided before them. */
const MAX_FORWARD_NODES = 128;

/** Corrects a text, and writes down the rows of each session and the nodes of each forward. */
async function counted(text: string) {
  const model = scriptedCorrector((piece) => piece.replace(/\bteh\b/g, 'the'));
  const { autoregressive } = model;
  const [rows, nodes]: [number[], number[]] = [[], []];
  const watched: typeof autoregressive = {
    ...autoregressive,
    open: async (sources, options) => {
      rows.push(sources.length);
      const forest = await autoregressive.open(sources, options);
      const extend = forest.extend.bind(forest);
      forest.extend = (batch, output, signal) => {
        nodes.push(batch.tokenId.length);
        return extend(batch, output, signal);
      };
      return forest;
    },
  };
  const { text: corrected } = await createCorrector(
    { ...model, part: () => watched },
    { keep: [], refuse: [] },
  ).correct(text);
  return { corrected, rows, nodes };
}

describe('a correction reads', () => {
  it.each([
    ['a text of one line', 'He saw teh cat near the old house today. ', 20],
    ['a line without an end of a sentence', 'and teh cat ', 50],
    ['many short lines', 'He saw teh cat.\n', 60],
  ])('%s a piece at a time, in forwards of bounded size, as many as the text is long', async (_, unit, count) => {
    const forwards: number[] = [];
    for (const times of [count, 4 * count]) {
      const { corrected, rows, nodes } = await counted(unit.repeat(times));
      expect(corrected).toBe(unit.replace('teh', 'the').repeat(times));
      expect(Math.max(...rows)).toBe(1);
      expect(Math.max(...nodes)).toBeLessThanOrEqual(MAX_FORWARD_NODES);
      forwards.push(nodes.length);
    }
    expect(forwards[1]).toBeLessThanOrEqual(5 * forwards[0]);
  });
});
