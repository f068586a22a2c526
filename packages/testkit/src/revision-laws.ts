import {
  type Canvas,
  type DecodeEndEvent,
  type DecodeRequest,
  type ErrorCode,
  ForetokenError,
  type TokenSource,
} from '@foretoken/core';
import assert from './assert.js';
import { assertLimits, assertMet, assertStops } from './cut-laws.js';
import { outputsOf } from './laws.js';
import type { Runner } from './runner.js';

/** What decoders that fill canvases and decoders that edit them have in common. */
export interface RevisionLaws<Model extends { readonly calls: readonly unknown[] }> {
  readonly runner: Runner;
  readonly seeds: readonly number[];
  readonly sources: readonly TokenSource[];
  readonly modelOf: (seed: number) => Model;
  readonly decode: (model: Model, request?: Partial<DecodeRequest<TokenSource>>) => Promise<DecodeEndEvent>;
  /** Every canvas the model was asked about. */
  readonly canvasesOf: (model: Model) => readonly Canvas[];
  /** Positions of a canvas before the output. */
  readonly offset: number;
  /** Codes by which a decoder may refuse to start inside an output. */
  readonly refusals: readonly ErrorCode[];
}

/** The laws of limits, stops and output prefixes; part of `canvasConformance` and `editConformance`. */
export function revisionLaws<Model extends { readonly calls: readonly unknown[] }>(laws: RevisionLaws<Model>): void {
  const { runner, seeds, sources, modelOf, decode, canvasesOf, offset, refusals } = laws;

  runner.it('cuts at maxNewTokens exactly', async () => {
    for (const seed of seeds) {
      await assertLimits(await decode(modelOf(seed)), (cut) => decode(modelOf(seed), cut), false);
    }
  });

  runner.it('stops every row at a stop sequence, and with the token that completes a stop string', async () => {
    const seen = new Set<string>();
    for (const seed of seeds.slice(0, 5)) {
      const stops = await assertStops(await decode(modelOf(seed)), (cut) => decode(modelOf(seed), cut), false);
      for (const stop of stops) seen.add(stop);
    }
    assertMet(seen);
  });

  /** Runs a decode and looks at it; a refusal is by one of the codes, and before anything is opened. */
  const orRefused = async (model: Model, run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (!ForetokenError.isInstance(error)) throw error;
      assert.ok(refusals.includes(error.code), `it is refused by ${refusals.join(' or ')}, not by ${error.code}`);
      assert.deepEqual(model.calls, [], 'nothing was opened');
    }
  };

  runner.it('begins with initial outputs, or refuses them', async () => {
    const initialOutputs = sources.map((_, row) =>
      Int32Array.from({ length: 1 + (row % 3) }, (_unused, index) => 5 - index),
    );
    for (const seed of seeds) {
      const model = modelOf(seed);
      await orRefused(model, async () => {
        await decode(model, { initialOutputs });
        for (const [row, initial] of initialOutputs.entries()) {
          const first = canvasesOf(model).find((canvas) => canvas.row === row);
          const seen = first?.tokenIds.slice(offset, offset + initial.length);
          assert.deepEqual(seen, initial, 'what the model is asked about first is the initial output');
        }
      });
    }
  });

  runner.it('starts inside an output, or refuses to', async () => {
    const outputPrefixes = sources.map((_, row) => Int32Array.from({ length: row }, (_unused, index) => 1 + index));
    for (const seed of seeds) {
      const model = modelOf(seed);
      await orRefused(model, async () => {
        const started = outputsOf(await decode(model, { outputPrefixes }));
        for (const [row, prefix] of outputPrefixes.entries()) {
          assert.deepEqual(started[row]?.slice(0, prefix.length), [...prefix], 'the output begins with its prefix');
        }
        const limited = outputsOf(await decode(modelOf(seed), { outputPrefixes, maxNewTokens: 1 }));
        const max = started.map((output, row) => output.slice(0, row + 1));
        assert.deepEqual(limited, max, 'a prefix is no new tokens');
        for (const { row, tokenIds } of canvasesOf(model)) {
          const prefix = outputPrefixes[row];
          const seen = tokenIds.slice(offset, offset + prefix.length);
          assert.deepEqual(seen, prefix, 'the model always sees the prefix');
        }
      });
    }
  });
}
