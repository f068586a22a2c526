import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folder } from '@foretoken/model-multi30k-en-de';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type ModelIo, memoryFolder } from '../src/index.js';

describe('files of a small folder', () => {
  let files: ReadonlyMap<string, Uint8Array>;
  beforeAll(async () => {
    const names = await readdir(folder);
    files = new Map(
      await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const)),
    );
  });

  it('are each opened once while a model is loaded, and anew for a graph that is opened later', async () => {
    const opened: string[] = [];
    const io = memoryFolder(files);
    const counting: ModelIo = {
      ...io,
      open(file, options) {
        opened.push(file);
        return io.open(file, options);
      },
    };
    await using model = await loadModel(counting, { probe: false });
    expect([...opened].sort()).toEqual([...files.keys()].sort());
    opened.length = 0;
    const source = model.tokenizer.encode('A man rides a bike.');
    await model.part('lattice', { lattice: 'ctc' }).emit([source], { k: 2 });
    expect(opened).toContain('ctc.onnx');
  });
});
