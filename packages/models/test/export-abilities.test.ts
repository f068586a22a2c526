import { collect, ForetokenError, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { tokenForestConformance } from '@foretoken/testkit';
import * as runtime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { ExportSteps } from '../src/families/onnx-export/export-driver.js';
import { ExportModel } from '../src/families/onnx-export/export-model.js';
import { probeAbilities, probeCosts } from '../src/families/onnx-export/export-probe.js';
import { decoderRoles } from '../src/families/onnx-export/export-roles.js';

const SIZE = 11;

/** What a scripted export was traced with. */
interface Traced {
  /** Every token of a run sees all of the run, as under a mask that was traced for one. */
  readonly oneToken?: boolean;
  /** Runs of several rows fail, or give the first row's scores to all. */
  readonly oneRow?: 'fails' | 'wrong';
  /** A token that changes the scores of what comes behind it in the same run, and of nothing else. */
  readonly uncounted?: number;
  /** In the place of the score of the last token, or of all. */
  readonly spoilt?: { readonly by: number; readonly all?: boolean };
}

const value = (type: string, ...dims: (number | null)[]) => ({ type, dims });
const roles = decoderRoles({
  file: 'model.onnx',
  inputs: {
    input_ids: value('int64', null, null),
    'past_key_values.0.key': value('float32', null, 1, null, 1),
  },
  outputs: { logits: value('float32', null, null, SIZE), 'present.0.key': value('float32', null, 1, null, 1) },
});

/** A decoder whose scores are a function of a path's tokens, which are its cache. */
function scripted({ oneToken = false, oneRow, uncounted, spoilt }: Traced) {
  const counts = { runs: 0, maxRows: 0, maxTokens: 0 };
  const session: Awaited<ReturnType<ExportSteps['session']>> = {
    inputType: (name) => (name === 'input_ids' ? 'int64' : 'float32'),
    async run(feeds) {
      const ids = feeds.input_ids;
      const past = feeds['past_key_values.0.key'];
      const [rows, length] = ids.dims;
      const before = past.dims[2];
      counts.runs++;
      counts.maxRows = Math.max(counts.maxRows, rows);
      counts.maxTokens = Math.max(counts.maxTokens, length);
      if (oneRow === 'fails' && rows > 1) throw new ForetokenError('RUNTIME_FAILURE', 'one row', {});
      const present = new Float32Array(rows * (before + length));
      const logits = new Float32Array(rows * length * SIZE);
      for (let row = 0; row < rows; row++) {
        const path = present.subarray(row * (before + length), (row + 1) * (before + length));
        path.set((past.data as Float32Array).subarray(row * before, (row + 1) * before));
        for (let column = 0; column < length; column++) {
          path[before + column] = Number((ids.data as BigInt64Array)[row * length + column]);
        }
        const read = oneRow === 'wrong' ? present.subarray(0, before + length) : path;
        for (let column = 0; column < length; column++) {
          const seen = read.subarray(0, oneToken ? before + length : before + column + 1);
          const left = path.subarray(before, before + column).filter((token) => token === uncounted).length;
          for (let id = 0; id < SIZE; id++) {
            let score = id + 5 * left;
            for (const token of seen) score = (score * 31 + token * 7 + 3) % 101;
            const isSpoilt = spoilt !== undefined && (spoilt.all === true || id === SIZE - 1);
            logits[(row * length + column) * SIZE + id] = isSpoilt ? spoilt.by : score / 10;
          }
        }
      }
      return {
        logits: new runtime.Tensor('float32', logits, [rows, length, SIZE]),
        'present.0.key': new runtime.Tensor('float32', present, [rows, 1, before + length, 1]),
      };
    },
  };
  return { session, counts };
}

async function modelOf(traced: Traced) {
  const { session, counts } = scripted(traced);
  const steps = {
    runtime,
    session: async () => session,
    begin: roles,
    goOn: roles,
    vocabularySize: SIZE,
    suppressed: [],
  };
  const abilities = await probeAbilities(steps, undefined, false, traced.uncounted ?? 0);
  const all = { ...steps, ...abilities };
  const model = new ExportModel({
    encoder: undefined,
    steps: all,
    vocabulary: { size: SIZE, endTokenId: 1, padTokenId: traced.uncounted },
    beginning: [],
    maxLength: 64,
    costs: await probeCosts(all, undefined, 64, false, undefined),
  });
  Object.assign(counts, { runs: 0, maxRows: 0, maxTokens: 0 });
  return { model, abilities, counts };
}

const SOURCES: TokenSource[] = [[3, 4, 5, 3, 4], [7], [2, 9, 2, 9, 2]].map((ids) => Int32Array.from(ids));

const KINDS: Readonly<Record<string, Traced>> = {
  'for any number of rows and tokens': {},
  'for one token': { oneToken: true },
  'for one row, and fails for more': { oneRow: 'fails' },
  'for one row, and is wrong for more': { oneRow: 'wrong' },
  'for one row and one token': { oneToken: true, oneRow: 'fails' },
  'with padding that it counts in a cache, but not in a run': { uncounted: 6 },
};

describe('an export that gives no scores', () => {
  it.each([
    [{ by: Number.NaN }, 'INVALID_SCORES'],
    [{ by: Number.POSITIVE_INFINITY }, 'INVALID_SCORES'],
    [{ by: Number.NEGATIVE_INFINITY, all: true }, 'UNSATISFIABLE_CONSTRAINT'],
  ])('is refused when it is loaded: %j', async (spoilt, code) => {
    await expect(modelOf({ spoilt })).rejects.toMatchObject({ code });
  });

  it('is not one whose tokens are not all possible', async () => {
    const { abilities } = await modelOf({ spoilt: { by: Number.NEGATIVE_INFINITY } });
    expect(abilities.chains).toBe(true);
  });
});

// Some of them are tokens by which other abilities are tried.
it.each([0, 2, 5, 8])('padding that a run does not count is found where it is token %i', async (uncounted) => {
  expect((await modelOf({ uncounted })).abilities).toMatchObject({ chains: true, chainEnd: uncounted });
});

describe.each(Object.entries(KINDS))('an export that was traced %s', (_, traced) => {
  it('is found to be that, and never run otherwise', async () => {
    const { model, abilities, counts } = await modelOf(traced);
    expect(abilities.chains).toBe(traced.oneToken !== true);
    expect(abilities.chainEnd).toBe(traced.uncounted);
    expect(abilities.maxLanes === 1).toBe(traced.oneRow !== undefined);
    await collect(greedy().decode(model, { sources: SOURCES, maxNewTokens: 6 }));
    expect(counts.maxRows).toBe(traced.oneRow === undefined ? SOURCES.length : 1);
    expect(counts.maxTokens).toBe(traced.oneToken === true ? 1 : 5);
  });

  it('verifies drafts where that is one run, and drafts nothing where it is a run for each', async () => {
    const { model, counts } = await modelOf(traced);
    const request = { sources: [SOURCES[2]], maxNewTokens: 24 };
    const plain = await collect(greedy().decode(model, request));
    const { runs } = counts;
    counts.runs = 0;
    const drafter = ngramDrafter({ vocabulary: model.vocabulary });
    const drafted = await collect(speculative({ drafter }).decode(model, request));
    expect(drafted.results[0].best.tokenIds).toEqual(plain.results[0].best.tokenIds);
    expect(counts.runs).toBeLessThanOrEqual(runs);
  });

  tokenForestConformance({
    runner: { describe, it },
    name: 'it',
    createModel: async () => (await modelOf(traced)).model,
    sources: SOURCES,
    tolerance: 1e-6,
    scripts: 4,
  });
});
