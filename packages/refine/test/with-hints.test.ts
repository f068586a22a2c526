import {
  type CanvasModel,
  type CanvasOpenOptions,
  collect,
  type EditModel,
  type LatticeModel,
  type SourceEncoder,
  type TokenSource,
} from '@foretoken/core';
import { ctcGreedy, ctcPrefixBeam, nat } from '@foretoken/one-shot';
import { levenshtein, maskCtc, maskPredict, withHints } from '@foretoken/refine';
import { assertCode, randomCanvasScore, scriptedCanvasModel, scriptedEditModel } from '@foretoken/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { latticeOf, SOURCES, VOCABULARY } from './lattice-models.js';

const search = ctcPrefixBeam({ beamSize: 4, lengthBonus: 1, alignments: true });

let encoded = 0;
let disposed = 0;
/** What models were opened with, in order. */
let opened: CanvasOpenOptions[] = [];
beforeEach(() => {
  [encoded, disposed, opened] = [0, 0, []];
});

const encoder: SourceEncoder<TokenSource> = {
  encode: async ({ length: rows }) => {
    encoded++;
    return { rows, dispose: () => disposed++ };
  },
};

const lattice: LatticeModel<TokenSource> = { ...latticeOf(4, 6), encoder };

function reading<Session, Model extends { open(...of: never[]): Promise<Session> }>(model: Model): Model {
  const open = async (sources: readonly TokenSource[], options: CanvasOpenOptions = {}) => {
    opened.push(options);
    const { hints: _, ...others } = options;
    return (model as unknown as CanvasModel<TokenSource>).open(sources, others);
  };
  return { ...model, encoder, readsHints: true, open };
}

const canvas = (): CanvasModel<TokenSource> =>
  reading(
    scriptedCanvasModel({
      vocabularySize: VOCABULARY,
      maskTokenId: 8,
      lengths: ({ length }) => Float32Array.of(-1, 0, 1, length, 2),
      score: randomCanvasScore({ seed: 3, vocabularySize: VOCABULARY, never: [0, 8] }),
    }),
  );

const edit = (): EditModel<TokenSource> =>
  reading(
    scriptedEditModel({
      vocabularySize: VOCABULARY,
      startTokenId: 7,
      endTokenId: 0,
      placeholderTokenId: 8,
      deletions: (_, tokenIds) => new Float32Array(tokenIds.length).fill(0.1),
      placeholders: (_, tokenIds) => new Int32Array(tokenIds.length - 1).fill(tokenIds.length < 4 ? 1 : 0),
      score: randomCanvasScore({ seed: 3, vocabularySize: VOCABULARY, never: [0, 7, 8] }),
    }),
  );

/** What `of` finds in the lattices: the tokens of each source, and where they begin. */
async function pathsOf(of: typeof search) {
  const { results } = await collect(of.decode(lattice, { sources: SOURCES }));
  return results.map(({ hypotheses }) => {
    const [best] = hypotheses;
    return { tokenIds: best?.tokenIds, firstFrames: best?.alignment?.firstFrames };
  });
}

describe('a model with hints', () => {
  const request = { sources: SOURCES };

  it('reads what the search finds, whatever the strategy, and decodes as without', async () => {
    const searched = await pathsOf(search);
    expect(searched).not.toEqual(await pathsOf(ctcPrefixBeam({ beamSize: 1, alignments: true })));
    const canvases = [maskPredict(), nat()];
    for (const decoder of canvases) {
      const model = canvas();
      const hinted = await collect(decoder.decode(withHints(model, { lattice, search }), request));
      const { results } = await collect(decoder.decode(model, request));
      expect(hinted.results).toEqual(results);
    }
    const edited = await collect(levenshtein().decode(withHints(edit(), { lattice, search }), request));
    expect(edited.results).toEqual((await collect(levenshtein().decode(edit(), request))).results);
    expect(opened.map(({ hints }) => hints)).toEqual([
      ...canvases.flatMap(() => [searched, undefined]),
      searched,
      undefined,
    ]);
  });

  it('has each source encoded once, and nothing left open', async () => {
    await collect(maskPredict().decode(withHints(canvas(), { lattice, search }), request));
    await collect(maskCtc({ initial: { lattice, search } }).decode(withHints(canvas(), { lattice, search }), request));
    expect([encoded, disposed]).toEqual([2, 2]);
    const failing = { ...lattice, emit: async () => Promise.reject(new Error('no')) };
    const model = withHints(canvas(), { lattice: failing, search });
    await expect(collect(maskPredict().decode(model, request))).rejects.toThrow('no');
    expect([encoded, disposed]).toEqual([3, 3]);
  });

  it('hands hints on that it is given', async () => {
    const hints = SOURCES.map(() => ({ tokenIds: Int32Array.of(3), firstFrames: Int32Array.of(2) }));
    const session = await withHints(canvas(), { lattice, search }).open(SOURCES, { hints });
    await session[Symbol.asyncDispose]();
    expect(opened).toEqual([{ hints }]);
    expect(encoded).toBe(0);
  });

  it('asks for a search that tells where tokens begin', async () => {
    const model = withHints(edit(), { lattice, search: ctcGreedy() });
    await assertCode(async () => (await model.open(SOURCES))[Symbol.asyncDispose](), 'INVALID_ARGUMENT');
    expect([encoded, disposed]).toEqual([1, 1]);
  });

  it('is refused where hints mean nothing to it', async () => {
    const { readsHints: _, ...unread } = canvas();
    await assertCode(async () => withHints(unread, { lattice, search }), 'UNSUPPORTED_CAPABILITY');
    const dag = { ...lattice, supports: { kind: 'dag' as const, maxCandidates: 4 } };
    await assertCode(async () => withHints(canvas(), { lattice: dag, search }), 'UNSUPPORTED_CAPABILITY');
    const words = { ...lattice, vocabulary: { size: 5, endTokenId: 0 } };
    await assertCode(async () => withHints(canvas(), { lattice: words, search }), 'INVALID_ARGUMENT');
    const { encoder: __, ...alone } = lattice;
    await assertCode(async () => withHints(edit(), { lattice: alone, search }), 'INVALID_ARGUMENT');
    const other = { ...lattice, encoder: { ...encoder } };
    await assertCode(async () => withHints(edit(), { lattice: other, search }), 'INVALID_ARGUMENT');
  });
});

describe('an abort', () => {
  it('reaches the search and the model, and nothing stays encoded', async () => {
    for (const when of ['emit', 'open'] as const) {
      const controller = new AbortController();
      const stop = async (signal: AbortSignal | undefined): Promise<never> => {
        controller.abort(new Error(`no more at ${when}`));
        signal?.throwIfAborted();
        throw new Error('the signal is missing');
      };
      const emitting = when === 'emit' ? { ...lattice, emit: stopped(stop) } : lattice;
      const opening = when === 'open' ? { ...canvas(), open: stopped(stop) } : canvas();
      const model = withHints(opening, { lattice: emitting, search });
      const decoded = collect(maskPredict().decode(model, { sources: SOURCES, signal: controller.signal }));
      await expect(decoded).rejects.toThrow(`no more at ${when}`);
    }
    expect([encoded, disposed]).toEqual([2, 2]);
  });
});

/** A method that does nothing but look at its signal. */
const stopped =
  (stop: (signal: AbortSignal | undefined) => Promise<never>) =>
  (_: unknown, options: { readonly signal?: AbortSignal } = {}) =>
    stop(options.signal);

describe('an output of a lattice that is refined', () => {
  it('is read, too, where the model reads hints of that lattice', async () => {
    const greedy = ctcGreedy({ alignments: true });
    const { results } = await collect(greedy.decode(lattice, { sources: SOURCES }));
    await collect(
      maskCtc({ initial: { lattice, search: greedy }, threshold: 1 }).decode(canvas(), { sources: SOURCES }),
    );
    await collect(levenshtein({ initial: { lattice, search: greedy } }).decode(edit(), { sources: SOURCES }));
    expect(opened).toHaveLength(2);
    for (const { hints } of opened) {
      expect(hints?.map(({ tokenIds }) => tokenIds)).toEqual(results.map(({ hypotheses }) => hypotheses[0]?.tokenIds));
    }
    const alone = { ...lattice, encoder: { ...encoder } };
    await collect(maskCtc({ initial: { lattice: alone, search: greedy } }).decode(canvas(), { sources: SOURCES }));
    await collect(maskCtc({ initial: { lattice, search: ctcGreedy() } }).decode(canvas(), { sources: SOURCES }));
    for (const options of opened.slice(2)) expect(options.hints).toBeUndefined();
  });

  it('is not read by a model that reads none, which would refuse it', async () => {
    const initial = { lattice, search: ctcGreedy({ alignments: true }) };
    const { readsHints: _, ...canvasAlone } = canvas();
    const { readsHints: __, ...editAlone } = edit();
    await collect(maskCtc({ initial }).decode(canvasAlone, { sources: SOURCES }));
    await collect(levenshtein({ initial }).decode(editAlone, { sources: SOURCES }));
    expect(opened).toHaveLength(2);
    for (const options of opened) expect(options.hints).toBeUndefined();
  });

  it('must have an alignment for each row or for none', async () => {
    const greedy = ctcGreedy({ alignments: true });
    const partly: typeof greedy = {
      ...greedy,
      async *decode(...of) {
        for await (const event of greedy.decode(...of)) {
          if (event.type !== 'canvas-revise' || event.row !== 1) yield event;
          else yield { ...event, alignment: undefined } as unknown as typeof event;
        }
      },
    };
    const initial = { lattice, search: partly };
    await assertCode(() => collect(levenshtein({ initial }).decode(edit(), { sources: SOURCES })), 'RUNTIME_FAILURE');
  });
});
