import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type Decoder, type TokenSource } from '@foretoken/core';
import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import { GraphSession } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel } from '../src/index.js';

const ROWS = 260;
const SOME = [0, 15, 131, ROWS - 1];
const NEW_TOKENS = 4;

const golden = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** Weights to import, or a folder to load as it is. */
const FAMILIES: Readonly<Record<string, { readonly weights?: string; readonly folder?: string }>> = {
  'a recurrent encoder-decoder': { weights: golden('goldens/recurrent/lstm-dot') },
  'a recurrent language model': { weights: golden('goldens/recurrent/gru-language') },
  'a decoder-only model': { weights: golden('../../models/test/goldens/causal/llama') },
  T5: { weights: golden('../../models/test/goldens/encoder-decoder/t5') },
  'an export with an encoder': { folder: golden('../../models/test/goldens/exports/marian') },
  'an export of a decoder': { folder: golden('../../models/test/goldens/exports/llama') },
};

const STRATEGIES: Readonly<
  Record<string, (model: AutoregressiveModel<TokenSource>) => Decoder<AutoregressiveModel<TokenSource>>>
> = {
  'greedy decoding': () => greedy(),
  'samples of each row': () => sampling({ hypotheses: 5 }),
  'beam search': () => beamSearch({ beamSize: 6, hypotheses: 2 }),
  speculation: ({ vocabulary }) => speculative({ drafter: ngramDrafter({ vocabulary }) }),
};

const sources = Array.from({ length: ROWS }, (_, row) =>
  Int32Array.from({ length: 1 + (row % 16) }, (_, at) => 3 + ((row * 7 + at * 3) % 5)),
);

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(Object.entries(FAMILIES))(`${ROWS} rows of %s`, (_, { weights, folder }) => {
  it.each(Object.entries(STRATEGIES))(
    '%s: forwards are bounded, and each row has what it has alone',
    async (_, create) => {
      const path = folder ?? join(await temporaryFolder(), 'model');
      if (weights !== undefined) await importModel(weights, path, { weights: 'float32' });
      await using loaded = await loadModel(path, { probe: false, threads: 1 });
      const model = loaded.part('autoregressive');
      const decoder = create(model);
      const outputs = async (some: readonly Int32Array[]) => {
        const { results } = await collect(decoder.decode(model, { sources: some, maxNewTokens: NEW_TOKENS, seed: 3 }));
        return results.map(({ hypotheses }) => hypotheses.map(({ tokenIds }) => [...tokenIds]));
      };
      const run = GraphSession.prototype.run;
      let cells = 0;
      vi.spyOn(GraphSession.prototype, 'run').mockImplementation(function (this: GraphSession, feeds, ...rest) {
        // Rows, or rows and their new tokens; what lies behind them grows with the output.
        for (const [name, { dims }] of Object.entries(feeds)) {
          const width = /tokens?$|ids$|positions?$/.test(name) && !/^key_/.test(name) ? (dims[1] ?? 1) : 1;
          if (dims.length <= 2) cells = Math.max(cells, (dims[0] ?? 1) * width);
        }
        return run.call(this, feeds, ...rest);
      });
      const together = await outputs(sources);
      expect(cells).toBeGreaterThan(1);
      expect(cells).toBeLessThanOrEqual(MAX_FORWARD_CELLS);
      for (const row of SOME) expect(await outputs([sources[row]])).toEqual([together[row]]);
    },
  );
});
