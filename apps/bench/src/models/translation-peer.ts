import { openPeer } from './peer-process.js';

/** What a package gives for all sources, decoded greedily one after the other. */
export interface PeerOutputs<Output> {
  readonly outputs: readonly Output[];
  /** Sum of the log-probabilities of each output's tokens, the end token among them. */
  readonly logProbs: readonly number[];
  /** Of processor time. */
  readonly seconds: number;
}

/** Another implementation with a model of random weights, which it has written into a folder. */
export interface TranslationPeer<Source, Output> {
  readonly sources: readonly Source[];
  decode(listed: boolean): Promise<PeerOutputs<Output>>;
}

/** Why there is no peer of `translation_peer.py`; undefined where there is one. */
export function missingTranslationPeer(needs: string): () => string | undefined {
  return () =>
    (process.env.FORETOKEN_PEER_PYTHON ?? '') === ''
      ? `no package brings such weights; set FORETOKEN_PEER_PYTHON to a Python with ${needs}, which writes some of random values`
      : undefined;
}

/** Runs with the peer of `kind`, which writes its model into `folder` and is closed afterwards. */
export async function withTranslationPeer<Source, Output, Result>(
  kind: 'marian' | 'ctranslate2',
  folder: string,
  run: (peer: TranslationPeer<Source, Output>) => Promise<Result>,
): Promise<Result> {
  const { ask, close } = openPeer(process.env.FORETOKEN_PEER_PYTHON ?? '', 'translation_peer.py', [kind, folder]);
  const decode = async (listed: boolean): Promise<PeerOutputs<Output>> =>
    (await ask({ listed })) as PeerOutputs<Output>;
  try {
    return await run({ sources: (await ask('sources')) as readonly Source[], decode });
  } finally {
    close();
  }
}

/** Seconds of processor time that `run` takes. */
export async function processorSeconds(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
