import { ForetokenError } from '../contract/errors.js';
import type { AutoregressiveSupport, NewNodes, NodeId } from '../contract/token-tree.js';
import { assertInteger, wrongValue } from '../kit/checks.js';
import { isCount } from '../kit/model-kinds.js';
import { ROOT } from '../kit/node-batch.js';
import { entryOf, lengthOf } from '../kit/options.js';
import { show } from '../kit/show.js';
import type { OpenRow } from './open-row.js';

/** Throws `INVALID_ARGUMENT` where a forest would hold more rows than the model allows. */
export function assertRows(supports: AutoregressiveSupport, received: number): void {
  assertInteger('rows', received, 0, Number.MAX_SAFE_INTEGER);
  const rows = rowsOf(supports);
  if (received <= rows) return;
  throw invalid(
    'INVALID_ARGUMENT',
    `A batch holds at most ${rows} sources, but there would be ${received}. Decode in parts.`,
    { received, max: rows },
  );
}

/** How many rows a model allows. */
function rowsOf(supports: AutoregressiveSupport): number {
  try {
    if (isCount(supports.rows)) return supports.rows;
  } catch {}
  throw wrongValue('supports', supports, 'what a model supports, with rows, an integer of at least 1');
}

/** A refusal of what a forest was asked. */
export function invalid(
  code: 'INVALID_ARGUMENT' | 'INVALID_NODE' | 'LENGTH_LIMIT',
  message: string,
  details: Readonly<Record<string, unknown>>,
): ForetokenError {
  return new ForetokenError(code, message, details);
}

/** Throws `INVALID_ARGUMENT` for nodes of which none is to be scored. */
export function assertScored({ tokenId, scored }: NewNodes): void {
  if (tokenId.length === 0 || scored?.every((one) => one === 0) !== true) return;
  throw invalid('INVALID_ARGUMENT', 'No node of the batch is to be scored; mark at least one.', {});
}

/** Slots of nodes that a row is to keep. */
export function leafSlots({ row, tree }: OpenRow, leaves: readonly NodeId[]): number[] {
  const count = lengthOf(leaves);
  if (count === undefined) throw wrongValue('leaves', leaves, 'an array of nodes');
  const slots: number[] = [];
  // Not at once: an array may be far longer than what it holds.
  for (let index = 0; index < count; index++) {
    const leaf = entryOf('leaves', leaves, index);
    const slot = tree.slotOf(leaf as NodeId);
    if (slot < 0) throw invalid('INVALID_NODE', `Node ${show(leaf)} is not in row ${row}.`, { row, node: leaf });
    slots.push(slot);
  }
  return slots;
}

/** Slot of the parent, -1 for the root's place, of a new node that may be there. */
export function parentSlot(
  { row, tree }: OpenRow,
  parent: NodeId,
  tokenId: number,
  { vocabularySize, maxLength }: { readonly vocabularySize: number; readonly maxLength: number },
): number {
  if (tokenId < 0 || tokenId >= vocabularySize) {
    throw invalid('INVALID_ARGUMENT', `Token id ${tokenId} is outside the vocabulary of ${vocabularySize}.`, {
      received: tokenId,
      size: vocabularySize,
    });
  }
  const slot = parent === ROOT ? -1 : tree.slotOf(parent);
  if (parent !== ROOT && slot < 0) {
    throw invalid('INVALID_NODE', `Parent ${parent} is not in row ${row}: it was released, or never there.`, {
      row,
      node: parent,
    });
  }
  if (tree.depthOf(slot) >= maxLength) {
    throw invalid('LENGTH_LIMIT', `Row ${row} already has ${maxLength} tokens, the most this model holds.`, {
      row,
      max: maxLength,
    });
  }
  return slot;
}
