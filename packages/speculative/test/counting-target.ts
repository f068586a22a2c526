import { collect, type Drafter, type DraftLimit, type DraftSession, type DraftTree } from '@foretoken/core';
import { expect } from 'vitest';
import { EMPTY_DRAFT, speculative } from '../src/index.js';
import { type Script, scriptedTarget } from './scripted-target.js';

export const SIZE = 50;

/** Tokens 3, 4, 5, … up to a length, then the end token 0. */
export const counting: Script = (source, output) => (output.length < source ? 3 + output.length : 0);

interface Log {
  disposed: number;
}

/** A drafter of parts that may be of any type, as plain JavaScript may pass them. */
export function drafterOf(
  parts: {
    open?: unknown;
    propose?: unknown;
    proposeAll?: unknown;
    finish?: unknown;
    forwards?: unknown;
    dispose?: () => unknown;
  },
  log: Log = { disposed: 0 },
): Drafter<number> {
  const session = {
    forwards: 'forwards' in parts ? parts.forwards : 0,
    propose: parts.proposeAll ?? forEach(parts.propose ?? (() => EMPTY_DRAFT)),
    finish: parts.finish ?? (() => {}),
    [Symbol.asyncDispose]: async () => {
      log.disposed++;
      await parts.dispose?.();
    },
  };
  return { name: 'peer', open: parts.open ?? (async () => session) } as unknown as Drafter<number>;
}

/** Asks `propose` about each row in turn, as one proposal. */
function forEach(propose: unknown): DraftSession['propose'] {
  const ask = propose as (row: number, prefix: Int32Array, limit: DraftLimit) => DraftTree | Promise<DraftTree>;
  return (requests) => {
    const drafts = requests.map(({ row, prefix, limit }) => ask(row, prefix, limit));
    return drafts.some((one) => one instanceof Promise) ? Promise.all(drafts) : (drafts as DraftTree[]);
  };
}

export const target = () => scriptedTarget({ script: counting, size: SIZE });

export async function failureOf(drafter: Drafter<number>, signal?: AbortSignal): Promise<unknown> {
  const model = target();
  const request = { sources: [20, 5], signal };
  try {
    await collect(speculative({ drafter }).decode(model, request));
  } catch (error) {
    expect(model.log.disposed).toBe(model.log.opened);
    return error;
  }
  return 'nothing failed';
}

export const ids = (...tokenIds: number[]): Int32Array => Int32Array.from(tokenIds);

export const draft = (tokenIds: unknown, parents: unknown, more: object = {}): unknown => ({
  tokenIds,
  parents,
  ...more,
});
