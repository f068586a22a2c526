import { collect, ForetokenError, type TokenSource } from '@foretoken/core';
import type { Decode } from './nar-strategies.js';

/** A strategy with what it decodes, in the order of the test set. */
export interface Way {
  readonly name: string;
  readonly decode: Decode;
  readonly sources: readonly TokenSource[];
}

/** One request, decoded: a sentence or a batch of them. */
export interface Decoded {
  /** Source ids to target ids, encoding included; the fastest of the repeats. */
  readonly milliseconds: number;
  /** Best output of each sentence. */
  readonly outputs: readonly Int32Array[];
  readonly forwards: number;
  readonly otherForwards: number;
}

/** Why a strategy has no row. */
export interface Failure {
  readonly strategy: string;
  readonly code: string;
  readonly message: string;
}

export interface RaceOptions {
  /** Sentences of the test set, by place, that make one request. */
  readonly requests: readonly (readonly number[])[];
  /** Times each request is decoded each way; the fastest counts, which drops moments when others held the core. */
  readonly repeats: number;
  /** Requests decoded before the clock starts. */
  readonly warmUp: number;
  readonly progress?: ((done: number) => void) | undefined;
}

export interface RaceResult {
  /** By strategy, one entry a request. */
  readonly decoded: ReadonlyMap<string, readonly Decoded[]>;
  /** Strategies that a typed error ended, with what it said. */
  readonly failures: readonly Failure[];
}

/** Requests of `size` sentences in their order; sentences that fill none are left out, unless there are too few for one. */
export function requestsOf(sentences: number, size: number): number[][] {
  const requests: number[][] = [];
  for (let begin = 0; begin + size <= sentences; begin += size) {
    requests.push(Array.from({ length: size }, (_, index) => begin + index));
  }
  return requests.length > 0 ? requests : [Array.from({ length: sentences }, (_, index) => index)];
}

/**
 * Decodes every request every way, all in turn, and another one first each time, so that none profits from its place. A way
 * that a typed error ends takes no further part.
 */
export async function race(ways: readonly Way[], options: RaceOptions): Promise<RaceResult> {
  const { requests, repeats, warmUp, progress } = options;
  const running = new Map(ways.map((way) => [way.name, { way, decoded: [] as Decoded[] }]));
  const failures: Failure[] = [];
  const attempt = async ({ name, decode, sources }: Way, request: readonly number[]): Promise<Decoded | undefined> => {
    try {
      return await decodeOnce(
        decode,
        request.map((index) => sources[index]),
      );
    } catch (error) {
      if (!ForetokenError.isInstance(error)) throw error;
      failures.push({ strategy: name, code: error.code, message: error.message });
      running.delete(name);
      return undefined;
    }
  };
  for (const request of requests.slice(0, warmUp)) {
    for (const { way } of [...running.values()]) await attempt(way, request);
  }
  for (const [index, request] of requests.entries()) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const { way, decoded } of rotated([...running.values()], index + repeat)) {
        const now = await attempt(way, request);
        const known = decoded[index];
        if (now !== undefined && (known === undefined || now.milliseconds < known.milliseconds)) decoded[index] = now;
      }
    }
    progress?.(index + 1);
  }
  return { decoded: new Map([...running].map(([name, { decoded }]) => [name, decoded])), failures };
}

/** The items from the one at `turn` on, and then those before it. */
export function rotated<Item>(items: readonly Item[], turn: number): Item[] {
  const first = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

async function decodeOnce(decode: Decode, sources: readonly TokenSource[]): Promise<Decoded> {
  const began = performance.now();
  const { results, statistics } = await collect(decode({ sources }));
  const milliseconds = performance.now() - began;
  const { forwards, otherForwards = 0 } = statistics;
  const outputs = results.map(({ best }) => best.tokenIds);
  return { milliseconds, outputs, forwards, otherForwards: otherForwards };
}
