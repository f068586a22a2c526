import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { spread } from '../statistics.js';
import { openPeer } from './peer-process.js';

/** One decode: tokens, and seconds by the clock and of all processors. */
export interface TimedDecode {
  readonly tokenIds: readonly number[];
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** What decodes a list of tokens greedily. */
export interface TimedEngine {
  readonly name: string;
  readonly decode: (tokenIds: readonly number[], newTokens: number) => Promise<TimedDecode>;
  readonly close: () => unknown;
}

/** Greedy decoding of a loaded model, which is disposed with it. */
export function ownEngine(name: string, model: LoadedModel): TimedEngine {
  const part = model.part('autoregressive');
  return {
    name,
    async decode(tokenIds, maxNewTokens) {
      const before = process.cpuUsage();
      const began = performance.now();
      const request = { sources: [Int32Array.from(tokenIds)], maxNewTokens };
      const { results } = await collect(greedy().decode(part, request));
      const seconds = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage(before);
      return { tokenIds: [...results[0].best.tokenIds], seconds, processorSeconds: (user + system) / 1e6 };
    },
    close: () => model.dispose(),
  };
}

/** Another runtime of the folder FORETOKEN_PEERS, in a process of its own. */
export function peerEngine(name: string, args: readonly string[]): TimedEngine {
  const peer = openPeer(process.execPath, 'language_model_peer.mjs', args);
  return { name, decode: async (...asked) => (await peer.ask(asked)) as TimedDecode, close: peer.close };
}

export function medianOf(values: readonly number[]): number {
  return spread(values).median;
}
