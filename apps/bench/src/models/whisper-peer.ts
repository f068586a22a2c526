import { openPeer } from './peer-process.js';

/** CTranslate2 in a process of its own, which tells how long it took. */
export interface WhisperPeer {
  /** Seconds of one decode of a window, its spectrum apart. */
  seconds(window: number, beamSize: number): Promise<number>;
  close(): void;
}

/** The peer, where `FORETOKEN_PEER_PYTHON` names a Python with ctranslate2 and transformers; `models` holds the packages' folders. */
export function openWhisperPeer(models: string): WhisperPeer | undefined {
  const python = process.env.FORETOKEN_PEER_PYTHON;
  if (python === undefined || python === '') return undefined;
  const { ask, close } = openPeer(python, 'whisper_peer.py', ['--models', models, '--serve']);
  return { seconds: async (window, beamSize) => (await ask([window, beamSize])) as number, close };
}
