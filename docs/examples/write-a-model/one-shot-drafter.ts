import type { CanvasModel, Drafter, TokenSource } from '@foretoken/core';
import { chainWithin } from '@foretoken/core/kit';

/** Fills the whole output once, and drafts from it whatever follows the tokens that are decided. */
export function oneShotDrafter(model: CanvasModel<TokenSource>): Drafter<TokenSource> {
  const { vocabulary, maskTokenId } = model;
  return {
    name: 'one-shot',
    vocabulary,
    async open(sources, { signal }) {
      await using session = await model.open(sources, { signal });
      const canvases = (await session.predictLengths(1, signal)).map(({ row, lengths: [length] }) => ({
        row,
        tokenIds: new Int32Array(length).fill(maskTokenId),
      }));
      const filled = await session.fill(canvases, { kind: 'argmax' }, signal);
      return {
        forwards: 1,
        propose: (requests) =>
          requests.map(({ row, prefix, limit }) =>
            chainWithin(filled[row].tokenIds.subarray(prefix.length), limit, vocabulary.endTokenId),
          ),
        finish() {},
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}
