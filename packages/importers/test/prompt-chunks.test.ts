import { collect, type NodeId } from '@foretoken/core';
import { NodeBatch, nodeIdOf, ROOT } from '@foretoken/core/kit';
import { sampling } from '@foretoken/greedy';
import { SteppingClock } from '@foretoken/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROMPT, type PromptModel, promptModel } from './prompt-fixture.js';

const { vocabularySize, width } = PROMPT;
const TOKENS = 2000;

const promptOf = (seed: number, length = TOKENS): Int32Array =>
  Int32Array.from({ length }, (_, index) => 1 + ((index * index + seed * index + seed) % (vocabularySize - 1)));

const models = new Map<number | undefined, PromptModel>();
const modelOf = (maxCells?: number): PromptModel => models.get(maxCells) as PromptModel;
const SIZES = [undefined, 4096, 256, 50, 7] as const;

beforeAll(async () => {
  for (const maxCells of SIZES) models.set(maxCells, await promptModel(maxCells));
});

afterAll(async () => {
  for (const model of models.values()) await model.dispose();
});

/** Scores after the prompts and after one more token below each, all scored. */
async function read(model: PromptModel, prompts: readonly Int32Array[]): Promise<number[]> {
  await using forest = await model.open(prompts);
  const nodes = new NodeBatch();
  const ends = prompts.map((prompt, row) => nodes.addChain(row, ROOT, prompt, 'last'));
  const first = await forest.extend(nodes, { kind: 'logits' });
  const next = new NodeBatch();
  for (const [row, end] of ends.entries()) next.add(row, nodeIdOf(end, first.firstNode), 3);
  const { logits } = await forest.extend(next, { kind: 'logits' });
  return [...first.logits, ...logits];
}

describe('a prompt of 2,000 tokens', () => {
  it('lets one row of scores leave the runtime', async () => {
    for (const maxCells of SIZES) {
      const model = modelOf(maxCells);
      model.reset();
      await using forest = await model.open([promptOf(1)]);
      const nodes = new NodeBatch();
      nodes.addChain(0, ROOT, forest.start(0).prefix, 'last');
      const { logits } = await forest.extend(nodes, { kind: 'logits' });
      expect(logits.length).toBe(vocabularySize);
      expect(model.left.get('logits')).toBe(vocabularySize);
      // Keys and values once a token, and nothing else.
      expect(model.left.get('new')).toBe(TOKENS * 2 * width);
      expect([...model.left.keys()].sort()).toEqual(['logits', 'new']);
      // Forwards end between whole vectors of 16 slots, where a forward has room for one.
      const cells = maxCells ?? 1024;
      const slots = cells < 16 ? Math.max(1, cells) : cells - (cells % 16);
      expect(model.runs()).toBeGreaterThanOrEqual(Math.ceil(TOKENS / slots));
      expect(model.runs()).toBeLessThanOrEqual(Math.ceil((TOKENS + 15) / slots));
    }
  });

  it('is one row of scores for each token that a decoder chooses', async () => {
    const model = modelOf();
    model.reset();
    const sources = [promptOf(1)];
    const { results } = await collect(sampling().decode(model, { sources, maxNewTokens: 3 }));
    expect(model.left.get('logits')).toBe(vocabularySize * Math.min(3, (results[0]?.best.tokenIds.length ?? 0) + 1));
  });

  it('is scored alike whatever it is cut into, alone and in a ragged batch', async () => {
    const whole = await read(modelOf(4096), [promptOf(1)]);
    for (const maxCells of SIZES) {
      const cut = await read(modelOf(maxCells), [promptOf(1)]);
      for (const [index, score] of cut.entries()) expect(score).toBeCloseTo(whole[index], 4);
    }
    const ragged = [promptOf(1, 300), promptOf(2, 17), promptOf(3, 1), promptOf(4, 129)];
    const alone: number[][] = [];
    for (const prompt of ragged) alone.push(await read(modelOf(4096), [prompt]));
    for (const maxCells of SIZES) {
      const together = await read(modelOf(maxCells), ragged);
      for (const row of ragged.keys()) {
        for (let token = 0; token < vocabularySize; token++) {
          expect(together[row * vocabularySize + token]).toBeCloseTo(alone[row]?.[token], 4);
          const next = (ragged.length + row) * vocabularySize + token;
          expect(together[next]).toBeCloseTo(alone[row]?.[vocabularySize + token], 4);
        }
      }
    }
  });

  it('is read in chunks between which timers run and a signal stops it; nothing of it stays', async () => {
    const model = modelOf(256);
    const reason = new Error('enough');
    const controller = new AbortController();
    await using forest = await model.open([promptOf(1)]);
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, forest.start(0).prefix, 'last');
    model.reset();
    model.onRun = () => {
      if (model.runs() === 2) setImmediate(() => controller.abort(reason));
    };
    {
      // Every look at the clock is so much later that each chunk is one that has taken long.
      using _clock = new SteppingClock(1_000);
      await expect(forest.extend(nodes, { kind: 'logits' }, controller.signal)).rejects.toBe(reason);
    }
    model.onRun = () => {};
    expect(model.runs()).toBe(2);
    const { firstNode, logits } = await forest.extend(nodes, { kind: 'logits' });
    expect(firstNode).toBe(0);
    const whole = await read(modelOf(4096), [promptOf(1)]);
    for (const [index, score] of logits.entries()) expect(score).toBeCloseTo(whole[index], 4);
  });

  it('ends with DISPOSED after the chunk that is being read', async () => {
    const model = modelOf(256);
    const forest = await model.open([promptOf(1)]);
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, forest.start(0).prefix, 'last');
    model.reset();
    let disposal: Promise<void> | undefined;
    model.onRun = () => {
      disposal ??= Promise.resolve(forest[Symbol.asyncDispose]());
    };
    await expect(forest.extend(nodes, { kind: 'logits' })).rejects.toMatchObject({ code: 'DISPOSED' });
    model.onRun = () => {};
    await disposal;
    expect(model.runs()).toBe(1);
  });

  it('adds nothing where a later chunk fails', async () => {
    const model = modelOf(256);
    await using forest = await model.open([promptOf(1), promptOf(2, 5)]);
    const nodes = new NodeBatch();
    for (const row of [0, 1]) nodes.addChain(row, ROOT, forest.start(row).prefix, 'last');
    const failure = new Error('broken');
    model.reset();
    model.onRun = () => {
      if (model.runs() === 3) throw failure;
    };
    await expect(forest.extend(nodes, { kind: 'logits' })).rejects.toMatchObject({ code: 'RUNTIME_FAILURE' });
    model.onRun = () => {};
    const ghost: NodeId = 4;
    expect(() => forest.retain(0, [ghost])).toThrowError(expect.objectContaining({ code: 'INVALID_NODE' }));
    const { logits } = await forest.extend(nodes, { kind: 'logits' });
    const alone = await read(modelOf(4096), [promptOf(2, 5)]);
    for (let token = 0; token < vocabularySize; token++) {
      expect(logits[vocabularySize + token]).toBeCloseTo(alone[token], 4);
    }
  });

  it('is kept as halves where the graph keeps halves, moved but not changed, and scored nearly alike', async () => {
    const halves = await promptModel(256, 'float16');
    const prompts = [promptOf(1, 300), promptOf(2, 17), promptOf(3, 1)];
    const [exact, rounded] = [await read(modelOf(256), prompts), await read(halves, prompts)];
    for (const [index, score] of rounded.entries()) expect(score).toBeCloseTo(exact[index], 1);
    expect(rounded).not.toEqual(exact);
    // What was rounded once is not rounded again: piece by piece, after a branch was taken back, the scores are the same.
    await using forest = await halves.open([promptOf(1, 40)]);
    const whole = new NodeBatch();
    const end = whole.addChain(0, ROOT, forest.start(0).prefix, 'last');
    const first = await forest.extend(whole, { kind: 'logits' });
    const branches = new NodeBatch();
    const node = nodeIdOf(end, first.firstNode);
    branches.addChain(0, node, [1, 2, 3], 'all');
    branches.addChain(0, node, [4, 5], 'all');
    const { firstNode } = await forest.extend(branches, { kind: 'logits' });
    forest.retain(0, [firstNode + 4]);
    const last = new NodeBatch();
    last.add(0, firstNode + 4, 6);
    const { logits } = await forest.extend(last, { kind: 'logits' });
    await using other = await halves.open([Int32Array.of(...promptOf(1, 40), 4, 5, 6)]);
    const straight = new NodeBatch();
    straight.addChain(0, ROOT, other.start(0).prefix, 'last');
    const expected = await other.extend(straight, { kind: 'logits' });
    for (const [token, score] of logits.entries()) expect(score).toBeCloseTo(expected.logits[token], 4);
    await halves.dispose();
  });
});
