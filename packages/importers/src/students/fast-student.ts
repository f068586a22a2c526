import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import { type TensorOf, tensorReader } from '../tensors/tensor-reader.js';
import type { CtcShape, CtcStudent } from './ctc-graph.js';
import { readHeadTokenIds } from './head-tokens.js';
import type { ReadStudent } from './student-configs.js';

const PIECE = 2 ** 20;

/**
 * The CTC student of the fast graph, which may read an earlier layer of the encoder than the `ordinary` one. The manifest
 * states their blank once, and a shortlist is for both, so these must agree; a head that is the same stays with the ordinary
 * student's weights. Throws `INVALID_MODEL_FOLDER`.
 */
export async function openFastStudent(
  { folder, config: shape }: ReadStudent<CtcShape>,
  ordinary: CtcStudent,
  pace: Yielder,
): Promise<CtcStudent> {
  const name = 'ctcFast';
  checkHeadTokenIds(folder, await readHeadTokenIds(folder, ordinary.head.vocabularySize, pace), ordinary);
  const tensorOf = tensorReader(folder);
  const owner = (await sameHead(tensorOf, ordinary, pace)) ? ordinary.head.owner : name;
  return { name, shape, head: { ...ordinary.head, owner }, tensorOf };
}

function checkHeadTokenIds(folder: WeightsFolder, tokenIds: readonly number[], { head }: CtcStudent): void {
  const wanted = head.tokenIds.slice(0, -1);
  const row = Array.from({ length: Math.max(tokenIds.length, wanted.length) }).findIndex(
    (_, index) => tokenIds[index] !== wanted[index],
  );
  if (row < 0) return;
  const [received, required] = [tokenIds[row] ?? 'none', wanted[row] ?? 'none'];
  throw new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${folder.path}: head.token_ids has ${received} in row ${row}, but ctcFast, like ctc, needs ${required} there. Train it with the head of ctc.`,
    { folder: folder.path, field: 'head.token_ids', row, received, required },
  );
}

async function sameHead(
  tensorOf: TensorOf,
  { shape, head, tensorOf: ordinaryTensorOf }: CtcStudent,
  pace: Yielder,
): Promise<boolean> {
  const labels = head.tokenIds.length;
  for (const [name, dims] of [
    ['head.weight', [labels, shape.width]],
    ['head.bias', [labels]],
  ] as const) {
    const own = await tensorOf(name, dims).values(pace);
    const others = await ordinaryTensorOf(name, dims).values(pace);
    for (let begin = 0; begin < own.length; begin += PIECE) {
      const end = begin + PIECE;
      if (!own.subarray(begin, end).every((value, index) => value === others[begin + index])) return false;
      if (pace.due()) await pace.yield();
    }
  }
  return true;
}
