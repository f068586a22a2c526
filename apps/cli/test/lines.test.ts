import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type InputLine, readLines } from '../src/lines.js';

async function read(chunks: readonly (Uint8Array | string)[], limit?: number): Promise<InputLine[]> {
  const lines: InputLine[] = [];
  for await (const line of readLines(Readable.from(chunks, { objectMode: true }), limit)) lines.push(line);
  return lines;
}

describe('readLines', () => {
  it('reads the same lines however the bytes are cut', async () => {
    const line = fc.string({ unit: fc.constantFrom('ä', '🎉', 'x', ' ', '漢') });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat(40)), fc.boolean(), async (texts, cuts, windows) => {
        const bytes = Buffer.from(texts.map((text) => text + (windows ? '\r\n' : '\n')).join(''));
        const chunks: Uint8Array[] = [];
        let from = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(from, from + cut));
          from += cut;
        }
        chunks.push(bytes.subarray(from));
        const lines = await read(chunks.filter((chunk) => chunk.length > 0));
        expect(lines.map(({ text }) => text)).toEqual(texts);
        expect(lines.map(({ number }) => number)).toEqual(texts.map((_, index) => index + 1));
        expect(lines.map(({ error }) => error?.code)).toEqual(
          texts.map((text) => (text.trim() === '' ? 'EMPTY_SOURCE' : undefined)),
        );
      }),
    );
  });

  it('drops a byte order mark and takes a last line without an end', async () => {
    const lines = await read([Buffer.from('\ufeffone\ntwo')]);
    expect(lines.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  it('refuses a line over the limit and goes on after it', async () => {
    const lines = await read(['12345', '67890\nok\n123456789', '0123'], 8);
    expect(lines.map(({ number, text, error }) => [number, text, error?.code])).toEqual([
      [1, '', 'SOURCE_TOO_LONG'],
      [2, 'ok', undefined],
      [3, '', 'SOURCE_TOO_LONG'],
    ]);
    expect(lines[0].error!.details).toEqual({ line: 1, received: 10, max: 8 });
  });

  it('does not keep a line that never ends', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const held = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = held();
    let atTheEnd = Number.POSITIVE_INFINITY;
    async function* endless() {
      // Strings of their own each: 1,000 times the same one would be kept once.
      for (let count = 0; count < 1000; count++) yield randomBytes(1 << 15).toString('hex');
      atTheEnd = held();
      yield '\nok\n';
    }
    const lines: InputLine[] = [];
    for await (const line of readLines(endless())) lines.push(line);
    expect(lines.map(({ error }) => error?.code)).toEqual(['SOURCE_TOO_LONG', undefined]);
    // The parts are 65 MB together.
    expect(atTheEnd - before).toBeLessThan(20e6);
  });

  it('refuses UTF-16 as bad input', async () => {
    async function* text() {
      yield Buffer.from('\ufeffA dog.\n', 'utf16le');
    }
    await expect(readLines(text()).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
