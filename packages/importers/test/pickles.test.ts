import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';

/** How torch.save begins a file: an archive, and what it was before torch 1.6. */
const ARCHIVE = Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(26), Buffer.from('archive/data.pkl')]);
const OLD = Buffer.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);

describe.each([
  ['pytorch_model.bin', ARCHIVE, "glob.glob('pytorch_model*.bin')"],
  ['pytorch_model-00001-of-00002.bin', OLD, "glob.glob('pytorch_model*.bin')"],
  ['pytorch_model.bin.index.json', Buffer.from('{}'), "glob.glob('pytorch_model*.bin')"],
  ['model.pt', OLD, "glob.glob('model.pt')"],
  ['model.bin', ARCHIVE, "glob.glob('model.bin')"],
  ['vocab $(x)\'".pth', ARCHIVE, "glob.glob('*.pth')"],
])('a folder with %s', (file, content, files) => {
  it('is refused with the command that converts it, and so is the file itself', async () => {
    const folder = join(await temporaryFolder(), 'weights');
    await mkdir(folder);
    await writeFile(join(folder, 'config.json'), '{"model_type":"marian"}');
    await writeFile(join(folder, file), content);
    const out = join(folder, 'out');
    for (const path of file.endsWith('.json') ? [folder] : [folder, join(folder, file)]) {
      const refused = {
        code: 'UNSUPPORTED_MODEL',
        details: { file, received: expect.stringContaining('pickle') },
      };
      await expect(importModel(path, out)).rejects.toMatchObject(refused);
      const error = await inspectWeights(path).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(refused);
      const { message } = error as Error;
      const [, command = ''] = message.split('reads tensors and nothing else: ');
      expect(command).toMatch(/^python -c "[^"$`\\]+"$/);
      expect(command).toContain(`for file in ${files}`);
      expect(command).toContain('weights_only=True');
    }
  });
});
