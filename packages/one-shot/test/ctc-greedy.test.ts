import { type CtcLattice, collect, type DecodeEvent, type DecodeRequest, type LatticeModel } from '@foretoken/core';
import { ctcGreedy } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';

const BLANK = 9;
const END = 0;

/** A row's source is its alignment: one label a frame, each with log-probability -0.5. */
interface AlignmentModel extends LatticeModel<readonly number[]> {
  readonly asked: { rows: number; k: number | undefined }[];
}

function alignmentModel(): AlignmentModel {
  const asked: { rows: number; k: number | undefined }[] = [];
  return {
    asked,
    vocabulary: { size: 10, endTokenId: END },
    supports: { kind: 'ctc', maxCandidates: 4 },
    async emit(sources, options = {}) {
      asked.push({ rows: sources.length, k: options.k });
      return sources.map(
        (labels): CtcLattice => ({
          kind: 'ctc',
          frames: labels.length,
          k: 1,
          blankId: BLANK,
          tokenIds: Int32Array.from(labels),
          logProbs: new Float32Array(labels.length).fill(-0.5),
          blankLogProbs: new Float32Array(labels.length).fill(-0.5),
        }),
      );
    },
  };
}

async function run(
  sources: readonly (readonly number[])[],
  options: Partial<DecodeRequest<readonly number[]>> = {},
): Promise<{ events: DecodeEvent[]; asked: AlignmentModel['asked'] }> {
  const model = alignmentModel();
  const events: DecodeEvent[] = [];
  for await (const event of ctcGreedy<readonly number[]>().decode(model, { sources, ...options })) events.push(event);
  return { events, asked: model.asked };
}

async function outputs(
  sources: readonly (readonly number[])[],
  options: Partial<DecodeRequest<readonly number[]>> = {},
): Promise<{ tokenIds: number[]; finishReason: string | undefined; score: number | undefined }[]> {
  const model = alignmentModel();
  const { results } = await collect(ctcGreedy<readonly number[]>().decode(model, { sources, ...options }));
  return results.map(({ hypotheses }) => ({
    tokenIds: [...(hypotheses[0]?.tokenIds ?? [])],
    finishReason: hypotheses[0]?.finishReason,
    score: hypotheses[0]?.score,
  }));
}

describe('ctcGreedy', () => {
  it('collapses every row after one forward', async () => {
    const { events, asked } = await run([
      [1, 1, 9, 1, 2],
      [9, 9],
    ]);
    expect(asked).toEqual([{ rows: 2, k: 1 }]);
    expect(events.map(({ type }) => type)).toEqual(['canvas-revise', 'token-commit', 'canvas-revise', 'decode-end']);
    expect(events[0]).toMatchObject({ row: 0, tokenIds: Int32Array.of(1, 1, 2) });
    expect(events[0]).toMatchObject({ logProbs: Float32Array.of(-0.5, -0.5, -0.5) });
    expect(events[1]).toMatchObject({ row: 0, position: 0, tokenIds: Int32Array.of(1, 1, 2) });
    expect(events[2]).toMatchObject({ row: 1, tokenIds: new Int32Array(0) });
    expect(events[3]).toMatchObject({ statistics: { forwards: 1, tokens: 3 } });
  });

  it('scores the whole alignment', async () => {
    expect(await outputs([[1, 9, 2, 2]])).toEqual([{ tokenIds: [1, 2], finishReason: 'complete', score: -2 }]);
  });

  it('cuts at an emitted end token, at the limit and after a stop sequence', async () => {
    expect(await outputs([[1, 2, END, 3]])).toMatchObject([{ tokenIds: [1, 2], finishReason: 'end-token' }]);
    expect(await outputs([[1, 2, 3, 4]], { maxNewTokens: 2 })).toMatchObject([
      { tokenIds: [1, 2], finishReason: 'length' },
    ]);
    const stopSequences = [Int32Array.of(2, 3)];
    expect(await outputs([[2, 9, 2, 3, 4], [1]], { stopSequences })).toMatchObject([
      { tokenIds: [2, 2, 3], finishReason: 'stop-sequence' },
      { tokenIds: [1], finishReason: 'complete' },
    ]);
  });

  it('shows in its canvas exactly what it commits', async () => {
    const { events } = await run([[1, 2, 3, 4]], { maxNewTokens: 2 });
    expect(events[0]).toMatchObject({ tokenIds: Int32Array.of(1, 2), logProbs: Float32Array.of(-0.5, -0.5) });
  });

  it('reports the frames of each token where asked for', async () => {
    const decoder = ctcGreedy<readonly number[]>({ alignments: true });
    const events: DecodeEvent[] = [];
    const request = { sources: [[9, 1, 1, 9, 1, 2, 2, 9]], maxNewTokens: 2 };
    for await (const event of decoder.decode(alignmentModel(), request)) events.push(event);
    const alignment = {
      firstFrames: Int32Array.of(1, 4),
      lastFrames: Int32Array.of(2, 4),
      logProbs: Float32Array.of(-0.5, -0.5),
    };
    expect(events[0]).toMatchObject({ type: 'canvas-revise', alignment });
    expect(events.at(-1)).toMatchObject({ results: [{ hypotheses: [{ alignment }] }] });
  });

  it('refuses a DAG model and bad requests before the forward', async () => {
    const dag: LatticeModel<readonly number[]> = {
      ...alignmentModel(),
      supports: { kind: 'dag', maxCandidates: 4 },
    };
    const decoder = ctcGreedy<readonly number[]>();
    await expect(collect(decoder.decode(dag, { sources: [[1]] }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
    });
    const model = alignmentModel();
    await expect(collect(decoder.decode(model, { sources: [] }))).rejects.toMatchObject({ code: 'EMPTY_SOURCE' });
    await expect(collect(decoder.decode(model, { sources: [[1]], maxNewTokens: 0 }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(collect(decoder.decode(model, { sources: [[1]], signal }))).rejects.toThrowError('enough');
    expect(model.asked).toEqual([]);
  });
});
