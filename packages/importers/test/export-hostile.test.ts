import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wireFields } from '@foretoken/core/internal';
import { openModelFolder } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { exportCopy } from '../../models/test/export-folders.js';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { field, message } from '../../models/test/onnx-fixtures.js';
import { rebuildExport } from '../src/index.js';
import { mutator } from './ctranslate2-fixtures.js';
import { expectReadOrRefused } from './mutated-files.js';

/** Of onnx.proto3. */
const GRAPH = 7;
const DECODER = 'decoder_model_merged.onnx';

/** Rebuilds a folder whose decoder is another. */
async function rebuild(change: (decoder: Buffer) => Uint8Array): Promise<void> {
  const copy = await exportCopy('spectra-en');
  await writeFile(join(copy, DECODER), change(await readFile(join(copy, DECODER))));
  const folder = await openModelFolder(copy);
  const target = join(await temporaryFolder(), 'model');
  await rebuildExport(folder, target, { prove: async () => undefined });
}

describe('an exported graph that is to be built anew', () => {
  it('is refused by its file where a name in it is no text', async () => {
    const spoil = (decoder: Buffer): Buffer => {
      const at = decoder.indexOf('/MatMul');
      expect(at).toBeGreaterThan(0);
      decoder[at + 1] = 0xff;
      return decoder;
    };
    const error = await refusal(() => rebuild(spoil));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: DECODER, field: 'the whole file' } });
    expect(error.message).toContain('Fetch or export it again');
  });

  it('may hold constants that nothing takes', async () => {
    const value = field(5, message(field(1, 'value'), field(5, message(field(1, 1), field(2, 1), field(9, 'abcd')))));
    const parts = [field(4, 'Constant'), value];
    const nodes = [field(1, message(...parts)), field(1, message(field(4, 'Identity')))];
    await rebuild((decoder) => {
      const fields = Array.from(wireFields(decoder), ({ number, value }) => {
        const content = typeof value === 'bigint' ? Number(value) : (value ?? '');
        return number === GRAPH && content instanceof Uint8Array
          ? field(number, message(content, ...nodes))
          : field(number, content);
      });
      return message(...fields);
    });
  });

  it('is read or refused with its file where it is mutated', async () => {
    const folder = await exportCopy('spectra-en');
    const path = join(folder, DECODER);
    const mutated = mutator(await readFile(path), ['MatMul', 'past_key', 'input_', 'weight', 'present']);
    const read = async (): Promise<unknown> => {
      const opened = await openModelFolder(folder);
      const target = join(await temporaryFolder(), 'model');
      return rebuildExport(opened, target, { prove: async () => undefined });
    };
    await expectReadOrRefused(folder, path, mutated, { read, times: 160 });
  });
});
