import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { services as packages } from '../src/services.js';
import { cli, MANIFEST } from './support.js';

const FILES = ['encoder.onnx', 'step.onnx', 'step-top-k.onnx', 'ctc.onnx', 'tokenizer.json'];
const EMPTY = { bytes: 0, sha256: createHash('sha256').digest('hex') };
const SOUND = JSON.stringify({ ...MANIFEST, files: Object.fromEntries(FILES.map((name) => [name, EMPTY])) });
const { openModelFolder } = packages;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
  for (const file of FILES) await writeFile(join(folder, file), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Exit code of looking at a folder with this manifest; it is shown or refused, and never more than that. */
async function inspect(manifest: string | Uint8Array): Promise<number> {
  await writeFile(join(folder, 'foretoken.json'), manifest);
  const plain = await cli(['inspect', folder], { services: { openModelFolder } });
  const json = await cli(['inspect', '--json', folder], { services: { openModelFolder } });
  expect([0, 2]).toContain(plain.code);
  expect(json.code).toBe(plain.code);
  for (const { stdout, stderr } of [plain, json]) {
    expect(stdout + stderr).not.toContain('UNEXPECTED');
    expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  }
  const record = JSON.parse(json.stdout);
  if (plain.code === 0) expect(record.manifest.format).toBe('foretoken-model');
  else expect(record.error.code).toMatch(/^(?:INVALID_MODEL_FOLDER|UNSUPPORTED_MODEL)$/);
  return plain.code;
}

const within = (field: string, value: string): string => SOUND.replace(/\}$/, `,${JSON.stringify(field)}:${value}}`);

describe('a manifest of whoever', () => {
  it('is shown when it is sound', async () => {
    expect(await inspect(SOUND)).toBe(0);
  });

  it.each<[string, string]>([
    ['nested 100,000 deep in its training', within('training', `{"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}`)],
    ['nested 100,000 deep in objects', within('training', `${'{"x":'.repeat(1e5)}1${'}'.repeat(1e5)}`)],
    ['nested 400,000 deep in a field that is no object', within('vocabulary', `${'['.repeat(4e5)}${']'.repeat(4e5)}`)],
    ['nested 400,000 deep as a whole', `${'['.repeat(4e5)}${']'.repeat(4e5)}`],
    ['nested 400,000 deep and not closed', '{"format":'.repeat(1e5)],
    ['full of line breaks', `{${'\n'.repeat(1_000_000)}`],
    [
      'with 100,000 training facts',
      within(
        'training',
        JSON.stringify(
          Object.fromEntries(
            Array(1e5)
              .fill(0)
              .map((_, i) => [i, i]),
          ),
        ),
      ).slice(0, 1e6),
    ],
    ['with numbers without end', within('training', '{"x":1e999,"y":-1e999,"z":0.1e-999}')],
    [
      'with control characters in facts',
      within('training', '{"\\u001b[2J\\u009b\\u202e\\u2028":"\\u001b]0;x\\u0007\\u0090\\u2066"}'),
    ],
    ['with halves of characters', within('training', '{"\\ud800":"\\udfff"}')],
    ['with __proto__', within('training', '{"__proto__":{"toString":1},"constructor":{"prototype":1}}')],
    ['with __proto__ at the top', within('__proto__', '{"family":"marian"}')],
    ['with a family twice', within('family', '"toString"')],
    ['with a control character in its family', within('family', '"\\u001b[2J\\u202e"')],
    ['with a key of a megabyte', within('x'.repeat(1e6), '1')],
  ])('%s', async (_, manifest) => {
    await inspect(manifest);
  });

  it('that is no text is refused', async () => {
    for (const bytes of [Uint8Array.of(0xff, 0xfe, 0x7b, 0), Uint8Array.of(0xef, 0xbb, 0xbf), new Uint8Array(100)]) {
      expect(await inspect(bytes)).toBe(2);
    }
  });

  it('is shown or refused whatever is put into it', async () => {
    const fields = Object.keys(JSON.parse(SOUND));
    const outcomes = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fields, 'other'),
        fc.json(),
        fc.nat(),
        fc.boolean(),
        async (field, value, at, cut) => {
          const manifest = within(field, value);
          const damaged = cut
            ? manifest.slice(0, at % manifest.length) + manifest.slice((at % manifest.length) + 1)
            : manifest;
          outcomes[(await inspect(damaged)) === 0 ? 0 : 1]++;
        },
      ),
      { numRuns: 200 },
    );
    expect(Math.min(...outcomes)).toBeGreaterThan(0);
  });
});
