import { join } from 'node:path';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT, Yielder } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { loadModel, openModelFolder } from '@foretoken/models';
import { copyDrafter, speculative } from '@foretoken/speculative';
import { describe, expect, it } from 'vitest';
import {
  encoderDecoderFolder,
  encoderDecoderGoldens,
  encoderDecoderWeights,
} from '../../models/test/encoder-decoder-fixtures.js';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { bartNetwork } from '../src/architectures/bart/bart-network.js';
import { readBartShape } from '../src/architectures/bart/bart-shape.js';
import { encoderDecoderContent } from '../src/architectures/encoder-decoder/encoder-decoder-content.js';
import { openWeights } from '../src/readers/open-weights.js';
import { tensorReader } from '../src/tensors/tensor-reader.js';
import { writeModel } from '../src/write-model.js';
import { picker } from './mutated-files.js';

const MULTIPLE = 4;

/** Lists of up to five tokens for each source token; the end token is common. */
function randomLists(size: number, endTokenId: number): readonly (readonly number[])[] {
  const pick = picker(11);
  return [[endTokenId], ...Array.from({ length: size }, () => Array.from({ length: pick(6) }, () => pick(size)))];
}

/** A model of attentive layers with lists that no importer has for it. */
async function folderWith(kind: string, lists: readonly (readonly number[])[]): Promise<string> {
  const folder = await openWeights(encoderDecoderWeights(kind));
  const shape = readBartShape(folder);
  const { vocabularySize, sourceVocabularySize, positions } = shape;
  const pace = new Yielder(undefined);
  const [common, ...own] = lists;
  let count = 0;
  const offsets = Int32Array.from([0, ...own.map(({ length }) => (count += length))]);
  const content = await encoderDecoderContent(folder, { name: kind, weights: 'float32' }, pace, {
    vocabularySize,
    sourceVocabularySize,
    limits: { sourceLength: positions, targetLength: positions },
    network: (suppressed, precision) => bartNetwork(folder, shape, tensorReader(folder), suppressed, precision),
    shortlist: {
      tables: { common: Int32Array.from(common), offsets, tokenIds: Int32Array.from(own.flat()) },
      multipleOf: MULTIPLE,
    },
  });
  const target = join(await temporaryFolder(), kind);
  await writeModel(target, content, {});
  return target;
}

async function logitsOf(
  model: AutoregressiveModel<TokenSource>,
  source: TokenSource,
  prefix: readonly number[],
): Promise<Float32Array> {
  await using forest = await model.open([source]);
  const nodes = new NodeBatch();
  nodes.addChain(0, ROOT, Int32Array.from([...forest.start(0).prefix, ...prefix]), 'all');
  const { logits } = await forest.extend(nodes, { kind: 'logits' });
  return logits.slice(-model.vocabulary.size);
}

describe('a decoder of attentive layers whose sources say which tokens outputs may have', () => {
  it('says the best of these at each step, with the bits of the scores that it has without lists', async () => {
    await using whole = await loadModel(await encoderDecoderFolder('bart', { weights: 'float32' }), { probe: false });
    const { size, endTokenId } = whole.part('autoregressive').vocabulary;
    const lists = randomLists(size, endTokenId as number);
    await using listed = await loadModel(await folderWith('bart', lists), { probe: false });
    const model = listed.part('autoregressive');
    const sources = (await encoderDecoderGoldens('bart')).rows.map(({ source }) => Int32Array.from(source));
    const outputs = async (decoder: ReturnType<typeof greedy>, rows: readonly TokenSource[]) =>
      (await collect(decoder.decode(model, { sources: rows, maxNewTokens: 8 }))).results.map(
        ({ best }) => best.tokenIds,
      );
    const together = await outputs(greedy(), sources);
    for (const [row, source] of sources.entries()) {
      const possible = new Set([...lists[0], ...[...source].flatMap((tokenId) => lists[tokenId + 1])]);
      for (let next = 0; possible.size % MULTIPLE !== 0; next++) possible.add(next);
      const said: number[] = [];
      while (said.length < 8 && said.at(-1) !== endTokenId) {
        const scores = await logitsOf(whole.part('autoregressive'), source, said);
        const expected = scores.map((score, tokenId) => (possible.has(tokenId) ? score : Number.NEGATIVE_INFINITY));
        expect(await logitsOf(model, source, said)).toEqual(expected);
        said.push(expected.indexOf(expected.reduce((best, score) => Math.max(best, score), Number.NEGATIVE_INFINITY)));
      }
      expect([...together[row]]).toEqual(said.filter((tokenId) => tokenId !== endTokenId));
      expect(await outputs(greedy(), [source])).toEqual([together[row]]);
    }
    const drafter = copyDrafter({ vocabulary: model.vocabulary, shape: 'tree' });
    expect(await outputs(speculative({ drafter }), sources)).toEqual(together);
  });

  it('takes the listed rows of the table out once for sources, not at each step', async () => {
    const { manifest } = await openModelFolder(await encoderDecoderFolder('bart'));
    const { size, endTokenId = 0 } = manifest.vocabulary;
    await using listed = await loadModel(await folderWith('bart', randomLists(size, endTokenId)), { probe: false });
    const [{ source }] = (await encoderDecoderGoldens('bart')).rows;
    const runs = async (maxNewTokens: number): Promise<number> => {
      listed.timings.reset();
      const model = listed.part('autoregressive');
      await collect(
        greedy().decode(model, { sources: [Int32Array.from(source)], maxNewTokens, minNewTokens: maxNewTokens }),
      );
      return listed.timings.runs;
    };
    const [two, five] = [await runs(2), await runs(5)];
    // A step embeds, runs the layers and scores.
    expect(five - two).toBe(3 * 3);
  });
});
