import { describe, expect, it } from 'vitest';
import { PromptSharing, type ReadingRow } from '../src/runtime/prompt-sharing.js';
import { TreeRow } from '../src/runtime/tree-row.js';

/** Rows that read `prefixes` together, and what was read and copied, in order. */
async function readTogether(prefixes: readonly (readonly number[])[], block: number) {
  const rows = prefixes.map((tokens, row): ReadingRow => {
    return { row, prefix: Int32Array.from(tokens), tree: new TreeRow(), read: 0 };
  });
  const done: string[] = [];
  let node = 0;
  await new PromptSharing(block).read(rows, {
    signal: undefined,
    read: async (nodes) => {
      for (const [index, row] of Array.from(nodes.row).entries()) {
        const at = rows[row];
        expect(nodes.tokenId[index]).toBe(at.prefix[at.read]);
        at.tree.append(node++, at.read - 1);
        at.read++;
      }
      done.push(`read ${Array.from(nodes.row).join('')}`);
    },
    copy: (donor, row, length) => {
      for (; row.read < length; row.read++) row.tree.append(node++, row.read - 1);
      done.push(`copy ${length} of row ${donor.row} to row ${row.row}`);
    },
  });
  return done;
}

describe('prompts that begin alike', () => {
  it('are read as far as the one that shares most needs it, also where another shares less', async () => {
    const [long, short] = [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 9],
    ];
    expect(await readTogether([[...long, 7], [...long, 8], short], 2)).toEqual([
      'read 000000',
      'copy 6 of row 0 to row 1',
      'copy 2 of row 0 to row 2',
    ]);
  });
});
