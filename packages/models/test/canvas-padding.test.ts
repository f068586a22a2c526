import { readFile } from 'node:fs/promises';
import type { CanvasModel, TokenSource } from '@foretoken/core';
import { nat } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';
import { type FillMaskManifest, loadModel, openModelFolder } from '../src/index.js';
import { fillMaskFolder } from './fill-mask-fixtures.js';

/** Written by apps/distill/make_canvas_padding_goldens.py: texts with padding inside, and the first scores at each place. */
interface PaddedText {
  readonly tokenIds: readonly number[];
  readonly logits: readonly (readonly number[])[];
}

const GOLDENS = JSON.parse(await readFile(new URL('goldens/canvas-padding.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, readonly PaddedText[]>
>;
/** Models that do not count padding, and the token. */
const LEFT_OUT = new Map([
  ['roberta', 1],
  ['xlm-roberta', 1],
]);

/** The most by which scores of texts lie apart from the goldens. Each place of a text is a mask, which a canvas fills. */
async function apart(model: CanvasModel<TokenSource>, texts: readonly PaddedText[]): Promise<number> {
  const all = texts.map(({ tokenIds }) => Int32Array.from(tokenIds));
  await using session = await model.open(all.map(({ length }) => new Int32Array(length).fill(model.maskTokenId)));
  const canvases = all.map((tokenIds, row) => ({ row, tokenIds }));
  const filled = await session.fill(canvases, { kind: 'logits' });
  const { size } = model.vocabulary;
  const distances = texts.flatMap(({ logits }, row) =>
    logits.flatMap((scores, place) =>
      scores.map((score, id) => Math.abs(score - filled[row].logits[place * size + id])),
    ),
  );
  return Math.max(...distances);
}

describe.each(Object.entries(GOLDENS))('padding inside texts of a %s model', async (kind, texts) => {
  const folder = await fillMaskFolder(kind);
  const loaded = await loadModel<string>(folder, { probe: false });
  const model = loaded.part('canvas');

  it('has the scores of transformers, alone and in batches', async () => {
    for (const text of texts) expect(await apart(model, [text])).toBeLessThan(1e-4);
    expect(await apart(model, texts)).toBeLessThan(1e-4);
    expect(await apart(model, texts.toReversed())).toBeLessThan(1e-4);
  });

  it('has them where it is of the text, too, and not of what fills its masks', async () => {
    const { maskTokenId, vocabulary } = model;
    for (const { tokenIds, logits } of texts) {
      for (const [place, wanted] of tokenIds.entries()) {
        if (wanted === vocabulary.padTokenId) continue;
        await using session = await model.open([
          Int32Array.from(tokenIds, (id, at) => (at === place ? maskTokenId : id)),
        ]);
        const [{ logits: given }] = await session.fill([{ row: 0, tokenIds: Int32Array.of(wanted) }], {
          kind: 'logits',
        });
        for (const [id, score] of logits[place].entries()) expect(given[id]).toBeCloseTo(score, 3);
      }
    }
  });

  it('is named in the manifest where it is not counted', async () => {
    const { manifest } = await openModelFolder(folder);
    expect((manifest as FillMaskManifest).architecture.unplacedTokenId).toBe(LEFT_OUT.get(kind));
  });

  it('is read from a text that spells it', async () => {
    const { padTokenId } = model.vocabulary;
    const pad = loaded.tokenizer.tokenText(padTokenId ?? 0);
    const mask = loaded.tokenizer.tokenText(model.maskTokenId);
    const text = `a ${pad} b ${mask}`;
    expect([...loaded.tokenizer.encode(text, 'prompt')]).toContain(padTokenId);
    expect((await loaded.decode(text, nat())).tokenIds.length).toBe(1);
  });
});
