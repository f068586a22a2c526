import { join } from 'node:path';
import { rounded, spread } from '../statistics.js';
import type { ModelFigures } from './model-row.js';
import { openPeer } from './peer-process.js';

const TURNS = 5;

/**
 * How long a package takes over what `decodeAll` decodes, which is a row's cases one after the other: the median of turns, by processor
 * time on one thread each. `FORETOKEN_PEER_PYTHON` names a Python with the packages; without it the details say why there is no figure.
 *
 * `folder` is that of one of the row's packages; `includes` says in words what is timed beside the graph.
 */
export async function speedOverPackage(
  cases: string,
  folder: string,
  includes: string,
  decodeAll: () => Promise<unknown>,
): Promise<Pick<ModelFigures, 'speedOverOracle' | 'details'>> {
  const python = process.env.FORETOKEN_PEER_PYTHON ?? '';
  if (python === '') {
    return {
      details: { speed: 'not measured: set FORETOKEN_PEER_PYTHON to a Python with what make_goldens.py names' },
    };
  }
  const peer = openPeer(python, 'package_peer.py', ['--models', join(folder, '..'), '--cases', cases]);
  try {
    // The first of both are for warming up.
    await peer.ask('all');
    await decodeAll();
    const ratios: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const theirs = (await peer.ask('all')) as number;
      const before = process.cpuUsage();
      await decodeAll();
      const { user, system } = process.cpuUsage(before);
      ratios.push((theirs * 1e6) / (user + system));
    }
    return {
      speedOverOracle: rounded(spread(ratios).median, 2),
      details: { speed: 'processor time, 1 thread each', includes },
    };
  } finally {
    peer.close();
  }
}
