import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flickr2016, readTestSet } from '../src/test-sets.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-bench-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const SOURCES = ['A dog.', 'two\fparts', 'a\u2028b', '', 'last'];
const REFERENCES = ['Ein Hund.', 'zwei\fTeile', 'a\u2028b\u0000', '', 'letzte'];

describe('a test set', () => {
  it.each([
    ['\n', '', '\n'],
    ['\r\n', '', '\r\n'],
    ['\n', '\ufeff', ''],
    ['\r\n', '\ufeff', '\r\n'],
    ['\r\n', '\ufeff', ''],
  ])('has the same lines whether they end with %j, and after %j', async (end, begin, last) => {
    const source = await file('source', `A dog.\n${SOURCES.slice(1).join('\n')}\n`);
    const reference = await file('reference', begin + REFERENCES.join(end) + last);
    expect(await readTestSet('x', source, reference)).toEqual({ name: 'x', sources: SOURCES, references: REFERENCES });
    expect(await readTestSet('x', reference, source)).toEqual({ name: 'x', sources: REFERENCES, references: SOURCES });
  });

  it('is refused where lines are missing, or a file cannot be read', async () => {
    const three = await file('three', 'a\nb\nc');
    const two = await file('two', 'a\nb\n');
    const code = 'INVALID_ARGUMENT';
    await expect(readTestSet('x', three, two)).rejects.toMatchObject({ code, details: { source: 3, reference: 2 } });
    await expect(readTestSet('x', three, join(folder, 'none'))).rejects.toMatchObject({ code });
    await expect(readTestSet('x', folder, two)).rejects.toMatchObject({ code });
    const endless = await file('endless', `ok\n${'x'.repeat(2 ** 20 + 1)}\n`);
    await expect(readTestSet('x', endless, two)).rejects.toMatchObject({ code });
  });

  it('comes along: 1,000 captions', async () => {
    const { sources, references } = await flickr2016();
    expect([sources.length, references.length]).toEqual([1000, 1000]);
    expect([...sources, ...references].every((text) => text !== '' && text === text.trim())).toBe(true);
  });
});
