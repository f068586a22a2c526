import type { Canvas, DagLattice, EditModel, EditSession, LatticeModel, TokenSource } from '@foretoken/core';
import { collect } from '@foretoken/core';
import { dagGreedy } from '@foretoken/one-shot';
import { levenshtein } from '@foretoken/refine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadedModel } from '../src/index.js';
import {
  canvasOf,
  codeOf,
  differenceTo,
  END,
  EXPECTED,
  largestDifference,
  MASK,
  POSITIONS,
  SOURCES,
  START,
  studentsFolder,
  useStudents,
  VOCABULARY,
} from './student-fixtures.js';

let model: LoadedModel;
let dag: LatticeModel<TokenSource>;
let edit: EditModel<TokenSource>;
useStudents(studentsFolder, (students) => {
  ({ model, dag, edit } = students);
});

const HEAD_SIZE = 11;
const UPSAMPLE = 3;

async function emit(sources: readonly TokenSource[], k: number): Promise<DagLattice[]> {
  return (await dag.emit(sources, { k })).map((lattice) => {
    if (lattice.kind !== 'dag') throw new TypeError('expected DAG lattices');
    return lattice;
  });
}

describe('a DAG student on ONNX Runtime', () => {
  it('gives the links and tokens of PyTorch to 1e-4, without padding', async () => {
    for (const [row, lattice] of (await emit(SOURCES, HEAD_SIZE)).entries()) {
      const { logProbs, transitions } = EXPECTED.dag[row];
      const { vertices, k } = lattice;
      expect([vertices, k]).toEqual([UPSAMPLE * (SOURCES[row]?.length ?? 0), HEAD_SIZE]);
      expect(differenceTo(transitions, lattice.transitions)).toBeLessThan(1e-4);
      const spread = new Float32Array(vertices * VOCABULARY).fill(Number.NEGATIVE_INFINITY);
      for (let cell = 0; cell < vertices * k; cell++) {
        const vertex = Math.floor(cell / k);
        spread[vertex * VOCABULARY + lattice.tokenIds[cell]] = lattice.logProbs[cell];
      }
      expect(differenceTo(logProbs, spread)).toBeLessThan(1e-4);
    }
  });

  it('gives each row of a batch what it gives the row alone, links that sum to one, and candidates best first', async () => {
    const together = await emit(SOURCES, 4);
    for (const [row, source] of SOURCES.entries()) {
      const [alone] = await emit([source], 4);
      const batched = together[row];
      expect(alone?.tokenIds).toEqual(batched.tokenIds);
      expect(largestDifference(alone.logProbs, batched.logProbs)).toBeLessThan(1e-5);
      expect(largestDifference(alone?.transitions ?? [], batched.transitions)).toBeLessThan(1e-5);
      const { vertices } = batched;
      for (let from = 0; from < vertices; from++) {
        const links = batched.transitions.subarray(from * vertices, (from + 1) * vertices);
        for (let to = 0; to <= from; to++) expect(links[to]).toBe(Number.NEGATIVE_INFINITY);
        const sum = links.reduce((mass, value) => mass + Math.exp(value), 0);
        expect(sum).toBeCloseTo(from === vertices - 1 ? 0 : 1, 5);
        const best = batched.logProbs.subarray(4 * from, 4 * from + 4);
        expect([...best]).toEqual([...best].sort((a, b) => b - a));
      }
    }
  });

  it('shares the encoder, caps k, names its start token, and serves a search', async () => {
    expect(dag.encoder).toBe(model.part('autoregressive').encoder);
    expect(dag.supports).toEqual({ kind: 'dag', maxCandidates: HEAD_SIZE });
    expect(model.part('lattice', { lattice: 'dag' }).startTokenId).toBe(START);
    expect((await emit(SOURCES, 1000))[0]?.k).toBe(HEAD_SIZE);
    const encoding = await dag.encoder?.encode(SOURCES);
    const [shared] = await dag.emit(SOURCES, { k: 4, encoding: encoding as never });
    expect(shared).toEqual((await emit(SOURCES, 4))[0]);
    encoding?.dispose();
    expect(await codeOf(() => dag.emit(SOURCES, { encoding: encoding as never }))).toBe('DISPOSED');
    expect(await codeOf(() => dag.emit(SOURCES, { k: 0 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => dag.emit([]))).toBe('EMPTY_SOURCE');
    const { results } = await collect(dagGreedy().decode(dag, { sources: SOURCES }));
    expect(results.length).toBe(SOURCES.length);
  });
});

const LOG_PROBS = { kind: 'logProbs' } as const;
const edits = EXPECTED.edit.canvases.map(canvasOf);

async function withSession(sources: readonly TokenSource[], run: (session: EditSession) => Promise<void>) {
  await using session = await edit.open(sources);
  await run(session);
}

describe('an edit student on ONNX Runtime', () => {
  it('gives the deletions, placeholders and tokens of PyTorch to 1e-4, and deletes no boundary', async () => {
    await withSession(SOURCES, async (session) => {
      const deletions = await session.deletions(edits);
      const placeholders = await session.placeholders(edits);
      const tokens = await session.fill(edits, LOG_PROBS);
      for (const [index, { tokenIds }] of edits.entries()) {
        const wanted = [...(EXPECTED.edit.deletions[index] ?? [])];
        wanted[0] = wanted[tokenIds.length - 1] = Number.NEGATIVE_INFINITY;
        expect(largestDifference(wanted, deletions[index] ?? [])).toBeLessThan(1e-4);
        expect([...(placeholders[index] ?? [])]).toEqual(EXPECTED.edit.placeholders[index]);
        expect(differenceTo(EXPECTED.edit.logProbs[index] ?? [], tokens[index].logProbs)).toBeLessThan(1e-4);
      }
    });
  });

  it('gives every canvas what it gets alone: any rows, repeated, in any order, of any lengths', async () => {
    const oneOf = fc.record({
      row: fc.integer({ min: 0, max: SOURCES.length - 1 }),
      tokenIds: fc
        .array(fc.integer({ min: 0, max: VOCABULARY - 1 }), { maxLength: POSITIONS - 2 })
        .map((ids) => Int32Array.of(START, ...ids, END)),
    });
    await withSession(SOURCES, (session) =>
      fc.assert(
        fc.asyncProperty(fc.array(oneOf, { minLength: 1, maxLength: 5 }), async (canvases) => {
          const deletions = await session.deletions(canvases);
          const placeholders = await session.placeholders(canvases);
          for (const [index, { row, tokenIds }] of canvases.entries()) {
            const one = [{ row: 0, tokenIds }];
            await withSession([SOURCES[row]], async (alone) => {
              const [deleted] = await alone.deletions(one);
              expect(largestDifference(deleted ?? [], deletions[index] ?? [])).toBeLessThan(1e-5);
              expect((await alone.placeholders(one))[0]).toEqual(placeholders[index]);
            });
          }
        }),
        { numRuns: 15 },
      ),
    );
  });

  it('serves Levenshtein decoding', async () => {
    const { results } = await collect(levenshtein({ iterations: 4 }).decode(edit, { sources: SOURCES }));
    for (const { hypotheses } of results) expect([...(hypotheses[0]?.tokenIds ?? [])]).not.toContain(MASK);
  });

  it('refuses by code what it cannot do', async () => {
    expect(edit.encoder).toBe(model.part('autoregressive').encoder);
    expect(edit).toMatchObject({ placeholderTokenId: MASK, startTokenId: START, maxLength: POSITIONS });
    expect(await codeOf(() => edit.open([]))).toBe('EMPTY_SOURCE');
    const session = await edit.open(SOURCES);
    const one = (tokenIds: readonly number[], row = 0): Canvas[] => [{ row, tokenIds: Int32Array.from(tokenIds) }];
    for (const run of [
      (canvases: readonly Canvas[]) => () => session.deletions(canvases),
      (canvases: readonly Canvas[]) => () => session.placeholders(canvases),
      (canvases: readonly Canvas[]) => () => session.fill(canvases, LOG_PROBS),
    ]) {
      for (const wrong of [[], [START], [3, 4], [START, 4], [4, END], [START, VOCABULARY, END]]) {
        expect(await codeOf(run(one(wrong)))).toBe('INVALID_ARGUMENT');
      }
      expect(await codeOf(run([]))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(run(one([START, END], 3)))).toBe('INVALID_ARGUMENT');
      const long = new Array<number>(POSITIONS).fill(4);
      expect(await codeOf(run(one([START, ...long, END])))).toBe('LENGTH_LIMIT');
    }
    expect(await codeOf(() => session.fill(edits, { kind: 'topK', k: 10 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => session.fill(edits, { kind: 'logits' }))).toBe('UNSUPPORTED_CAPABILITY');
    await expect(session.deletions(edits, AbortSignal.abort('enough'))).rejects.toBe('enough');
    await session[Symbol.asyncDispose]();
    expect(await codeOf(() => session.deletions(edits))).toBe('DISPOSED');
    expect(await codeOf(() => session.placeholders(edits))).toBe('DISPOSED');
    expect(await codeOf(() => session.fill(edits, LOG_PROBS))).toBe('DISPOSED');
  });
});
