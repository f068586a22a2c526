import type { AutoregressiveModel, Extension, NodeId, OutputKind, SourceEncoder, TokenForest } from '@foretoken/core';
import {
  anything,
  callback,
  checkOptions,
  immediate,
  integer,
  modelKind,
  type OptionTable,
  wrongValue,
} from '@foretoken/core/kit';

/** What was done with a model: `rows` is how many were opened or joined, or the row of each new node; `output` what was asked for; `leaves` what was kept. */
export type ModelCall =
  | { readonly call: 'encode' | 'release-encoding' }
  | { readonly call: 'open' | 'join'; readonly rows: number }
  | {
      readonly call: 'extend';
      readonly rows: readonly number[];
      readonly tokenIds: readonly number[];
      /** How many of the nodes were to be scored. */
      readonly scored: number;
      readonly output: OutputKind;
    }
  | { readonly call: 'retain'; readonly row: number; readonly leaves: readonly NodeId[] }
  | { readonly call: 'finish'; readonly row: number }
  | { readonly call: 'dispose' };

/** A model that writes down everything done with it. */
export interface RecordingModel<Source> extends AutoregressiveModel<Source> {
  /** Every call, in its order. */
  readonly calls: readonly ModelCall[];
  /** Calls of `extend`. */
  readonly forwards: number;
  /** Forests and encodings that were opened and not yet released. */
  readonly stillOpen: number;
}

/** Faults and calls that a recording model adds. */
export interface RecordingOptions {
  /** Throws `error` instead of running the n-th forward, counted from 1. */
  readonly failAt?: number | undefined;
  /** What is thrown instead; default an `Error`. */
  readonly error?: unknown;
  /** Called before each forward, with its number from 1. */
  readonly onForward?: ((forward: number) => void) | undefined;
}

const OPTIONS: OptionTable<RecordingOptions> = {
  failAt: integer(1),
  error: anything,
  onForward: callback<(forward: number) => void>(immediate),
};

/** Wraps a model to record its use, count what is left open, and fail on demand. */
export function recording<Source>(
  model: AutoregressiveModel<Source>,
  options: RecordingOptions = {},
): RecordingModel<Source> {
  options = checkOptions('recording', options, OPTIONS);
  if (modelKind(model) !== 'autoregressive') throw wrongValue('model', model, 'an autoregressive model');
  const calls: ModelCall[] = [];
  let forwards = 0;
  let open = 0;
  const encoder = model.encoder === undefined ? undefined : recordEncoder(model.encoder);

  function recordEncoder(inner: SourceEncoder<Source>): SourceEncoder<Source> {
    return {
      async encode(sources, signal) {
        calls.push({ call: 'encode' });
        const encoding = await inner.encode(sources, signal);
        open++;
        const { dispose } = encoding;
        // The model must get its own object back, so the encoding is watched in place.
        encoding.dispose = () => {
          calls.push({ call: 'release-encoding' });
          open--;
          dispose.call(encoding);
        };
        return encoding;
      },
    };
  }

  return {
    vocabulary: model.vocabulary,
    maxLength: model.maxLength,
    supports: model.supports,
    forcedTokens: model.forcedTokens,
    encoder,
    calls,
    get forwards() {
      return forwards;
    },
    get stillOpen() {
      return open;
    },
    async open(sources, openOptions): Promise<TokenForest<Source>> {
      const forest = await model.open(sources, openOptions);
      calls.push({ call: 'open', rows: forest.rows });
      open++;
      let disposed = false;
      const recorded: TokenForest<Source> = {
        get rows() {
          return forest.rows;
        },
        start: (row) => forest.start(row),
        async extend(nodes, output, signal): Promise<Extension<typeof output>> {
          forwards++;
          const { row, tokenId } = nodes;
          const scored = nodes.scored?.reduce((sum, one) => sum + one, 0) ?? tokenId.length;
          calls.push({ call: 'extend', rows: [...row], tokenIds: [...tokenId], scored, output: output.kind });
          options.onForward?.(forwards);
          if (forwards === options.failAt) throw options.error ?? new Error(`forward ${forwards} failed`);
          return forest.extend(nodes, output, signal);
        },
        retain(row, leaves) {
          calls.push({ call: 'retain', row, leaves: [...leaves] });
          forest.retain(row, leaves);
        },
        finish(row) {
          calls.push({ call: 'finish', row });
          forest.finish(row);
        },
        async [Symbol.asyncDispose]() {
          calls.push({ call: 'dispose' });
          if (!disposed) open--;
          disposed = true;
          await forest[Symbol.asyncDispose]();
        },
      };
      const join = forest.join?.bind(forest);
      if (join !== undefined) {
        recorded.join = (joining, joinOptions) => {
          calls.push({ call: 'join', rows: joining.length });
          return join(joining, joinOptions);
        };
      }
      return recorded;
    },
  };
}
