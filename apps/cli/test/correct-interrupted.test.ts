import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { simpleCorrection } from '../../../packages/correction/test/scripted-corrector.js';
import { correct, correctorModel } from './corrector-command.js';

describe('an interrupted correction', () => {
  it('asks no model for what is left of a text', async () => {
    const controller = new AbortController();
    const read: string[] = [];
    const model = correctorModel((text) => {
      read.push(text);
      controller.abort();
      return text;
    });
    const text = 'The cat sat on the mat and the dog sat there. '.repeat(20);
    const { code, stdout } = await correct(['--text', text, '--text', text], { model, signal: controller.signal });
    expect([code, stdout]).toEqual([130, '']);
    expect(new Set(read).size).toBe(1);
    expect(read[0].length).toBeLessThan(100);
  });

  it('in its last forward writes no object either', async () => {
    const controller = new AbortController();
    const model = correctorModel((text) => {
      controller.abort();
      return text;
    });
    const options = { model, signal: controller.signal };
    expect(await correct(['--json', '--text', 'The cat.'], options)).toMatchObject({ code: 130, stdout: '' });
  });

  it('while it waits for more writes no object, which would look whole', async () => {
    const controller = new AbortController();
    const stdin = new Readable({ read() {} });
    stdin.push('teh cat\n');
    let asked = false;
    const model = correctorModel((text) => {
      asked = true;
      return simpleCorrection(text);
    });
    const done = correct(['--json'], { stdin, model, signal: controller.signal });
    for (let turns = 0; !asked || turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await done).toMatchObject({ code: 130, stdout: '' });
  });
});
