import {
  type Canvas,
  type CanvasPrediction,
  type EditModel,
  type EditSession,
  type EditSupport,
  ForetokenError,
  type OutputRequest,
  type TokenSource,
} from '@foretoken/core';

import {
  anything,
  assertOffered,
  assertTokenSources,
  callback,
  canvasOptions,
  checkOptions,
  integer,
  type OptionTable,
} from '@foretoken/core/kit';

import type { CanvasScore } from './scripted-canvas.js';
import { scoresAs } from './scripted-scores.js';

/** What was done with a scripted edit model, in order. */
export interface EditCall {
  /** What was called. */
  readonly call: 'open' | 'deletions' | 'placeholders' | 'fill' | 'dispose';
  /** The canvases that were given. */
  readonly canvases: readonly Canvas[];
}

/** What a scripted edit model is made of. */
export interface ScriptedEditOptions {
  readonly vocabularySize: number;
  /** Token that every canvas begins with. */
  readonly startTokenId: number;
  readonly endTokenId: number;
  /** Token that stands where one is to be filled in. */
  readonly placeholderTokenId: number;
  /** Most positions of a canvas; default 32. */
  readonly maxLength?: number | undefined;
  /** Probability that each position of a canvas is deleted, `[length]`. */
  readonly deletions: (source: TokenSource, canvas: Int32Array) => ArrayLike<number>;
  /** Placeholders for each gap, `[length - 1]`. */
  readonly placeholders: (source: TokenSource, canvas: Int32Array) => ArrayLike<number>;
  /** Scores of every token at each position. */
  readonly score: CanvasScore;
  /** Throws `error` instead of running the n-th forward of any kind, counted from 1. */
  readonly failAt?: number | undefined;
  /** What is thrown where the model is told to fail. */
  readonly error?: unknown;
}

const OPTIONS: OptionTable<ScriptedEditOptions> = {
  vocabularySize: integer(1),
  startTokenId: integer(0),
  endTokenId: integer(0),
  placeholderTokenId: integer(0),
  maxLength: integer(1),
  deletions: callback<ScriptedEditOptions['deletions']>(anything),
  placeholders: callback<ScriptedEditOptions['placeholders']>(anything),
  score: callback<CanvasScore>(anything),
  failAt: integer(1),
  error: anything,
};
const REQUIRED = [
  'vocabularySize',
  'startTokenId',
  'endTokenId',
  'placeholderTokenId',
  'deletions',
  'placeholders',
  'score',
] as const;

/** A scripted edit model, and what was asked of it. */
export interface ScriptedEditModel extends EditModel<TokenSource> {
  /** Every call, in its order. */
  readonly calls: readonly EditCall[];
  /** Forwards so far. */
  readonly forwards: number;
  /** Sessions that nobody has disposed of. */
  readonly stillOpen: number;
}

/**
 * An edit model that is three functions, keeping the edit contract to the letter and recording its use. Throws `INVALID_ARGUMENT`.
 */
export function scriptedEditModel(options: ScriptedEditOptions): ScriptedEditModel {
  options = checkOptions('scriptedEditModel', options, OPTIONS, REQUIRED);
  const { vocabularySize, startTokenId, endTokenId, placeholderTokenId, maxLength = 32, failAt, error } = options;
  const supports: EditSupport = { outputs: ['topK'], maxCandidates: vocabularySize };
  const calls: EditCall[] = [];
  const countOf = (...kinds: EditCall['call'][]): number => calls.filter(({ call }) => kinds.includes(call)).length;
  const forwards = (): number => countOf('deletions', 'placeholders', 'fill');
  return {
    vocabulary: { size: vocabularySize, endTokenId },
    startTokenId,
    placeholderTokenId,
    maxLength,
    supports,
    calls,
    get forwards() {
      return forwards();
    },
    get stillOpen() {
      return countOf('open') - countOf('dispose');
    },
    async open(sources, given): Promise<EditSession> {
      const { hints } = canvasOptions(given);
      if (hints !== undefined) throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model reads no hints.');
      assertTokenSources(sources);
      calls.push({ call: 'open', canvases: [] });
      let disposed = false;
      const begin = (call: EditCall['call'], canvases: readonly Canvas[], abort?: AbortSignal): void => {
        if (disposed) throw new ForetokenError('DISPOSED', 'The session was disposed of.');
        abort?.throwIfAborted();
        if (canvases.length === 0) throw new ForetokenError('INVALID_ARGUMENT', `${call} was called without canvases.`);
        for (const { row, tokenIds } of canvases) {
          if (sources[row] === undefined)
            throw new ForetokenError('INVALID_ARGUMENT', `There is no row ${row}.`, { row });
          const wrong = tokenIds.find((tokenId) => tokenId < 0 || tokenId >= vocabularySize);
          if (wrong !== undefined) throw new ForetokenError('INVALID_ARGUMENT', `There is no token ${wrong}.`, { row });
          if (tokenIds.length > maxLength) throw new ForetokenError('LENGTH_LIMIT', `more than ${maxLength} positions`);
          const inner = [...tokenIds.subarray(1, -1)];
          if (tokenIds[0] !== startTokenId || tokenIds.at(-1) !== endTokenId || inner.includes(startTokenId)) {
            throw new ForetokenError('INVALID_ARGUMENT', `the boundaries of ${[...tokenIds].join(' ')} are wrong`);
          }
          if (call !== 'fill' && inner.includes(placeholderTokenId)) {
            throw new ForetokenError('INVALID_ARGUMENT', `${call} of a canvas with placeholders`);
          }
        }
        calls.push({ call, canvases: canvases.map(({ row, tokenIds }) => ({ row, tokenIds: tokenIds.slice() })) });
        if (forwards() === failAt) throw error;
      };
      const sourceOf = ({ row }: Canvas): TokenSource => sources[row];
      function fill<Output extends OutputRequest>(
        canvases: readonly Canvas[],
        output: Output,
        signal?: AbortSignal,
      ): Promise<CanvasPrediction<Output>[]>;
      async function fill(
        canvases: readonly Canvas[],
        output: OutputRequest,
        signal?: AbortSignal,
      ): Promise<CanvasPrediction[]> {
        begin('fill', canvases, signal);
        assertOffered(supports, output);
        return canvases.map((canvas) => {
          const { row, tokenIds } = canvas;
          const logits = Array.from(tokenIds, (_, at) =>
            Float32Array.from(options.score(sourceOf(canvas), tokenIds, at)),
          );
          return { row, ...scoresAs(output, logits) };
        });
      }
      return {
        async deletions(canvases, signal) {
          begin('deletions', canvases, signal);
          return canvases.map((canvas) =>
            Float32Array.from(options.deletions(sourceOf(canvas), canvas.tokenIds)).map(Math.log),
          );
        },
        async placeholders(canvases, signal) {
          begin('placeholders', canvases, signal);
          return canvases.map((canvas) => Int32Array.from(options.placeholders(sourceOf(canvas), canvas.tokenIds)));
        },
        fill,
        async [Symbol.asyncDispose]() {
          if (!disposed) calls.push({ call: 'dispose', canvases: [] });
          disposed = true;
        },
      };
    },
  };
}
