import { readdir, readFile } from 'node:fs/promises';
import type { DecodeEvent } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { loadModel, type PartDecoder } from '@foretoken/models';
import { latticeDrafter, speculative } from '@foretoken/speculative';
import { expect, it } from 'vitest';
import { eventFromJson, eventToJson, readTrace, type Trace, traceTokens, writeTrace } from '../src/index.js';

const TRANSLATION = new URL('../../model-multi30k-en-de/model', import.meta.url);
const SENTENCE = 'A man rides a bicycle along the beach.';

/** As JSON rounds it. */
function rounded(value: unknown, key = ''): unknown {
  if (value instanceof Float32Array) return value.map((one) => Math.fround(Math.round(one * 1000) / 1000));
  if (typeof value === 'number' && key.endsWith('Ms')) return Math.round(value * 1000) / 1000;
  if (Array.isArray(value)) return value.map((one) => rounded(one));
  if (ArrayBuffer.isView(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (one === undefined ? [] : [[name, rounded(one, name)]])),
  );
}

it('events of real decodes are read again as they were written', async () => {
  await using model = await loadModel(TRANSLATION, { probe: false });
  const decoders: PartDecoder[] = [
    greedy({ alternatives: 3 }),
    speculative({ drafter: latticeDrafter(model.speculation()), tokenLogProbs: true }),
  ];
  for (const decoder of decoders) {
    const events: DecodeEvent[] = [];
    const { text } = await model.decode(SENTENCE, decoder, { onEvent: (event) => void events.push(event) });
    for (const event of events) {
      const json = eventToJson(event);
      expect(json).not.toContain('\n');
      expect(eventFromJson(json)).toEqual(rounded(event));
      expect(eventToJson(eventFromJson(json))).toBe(json);
    }
    const tokens = traceTokens(events, model.tokenizer);
    const best = events.at(-1)?.type === 'decode-end' ? events.at(-1) : undefined;
    if (best?.type !== 'decode-end') throw new Error('It has no end.');
    const { tokenIds } = best.results[0].best;
    expect(
      [...tokenIds]
        .map((tokenId) => tokens[tokenId])
        .join('')
        .trim(),
    ).toBe(text);
    const trace: Trace = {
      header: {
        type: 'trace',
        version: 1,
        strategy: decoder.name,
        task: 'translate',
        input: SENTENCE,
        seed: 0,
        options: {},
        text,
        runtime: 'test',
        chosen: 'middle',
        repeats: [1],
        tokens,
      },
      events,
    };
    const written = writeTrace(trace);
    expect(writeTrace(readTrace(written))).toBe(written);
  }
});

it('impossible and unknown numbers stay so', () => {
  const event: DecodeEvent = {
    type: 'canvas-revise',
    atMs: 1.23456,
    row: 0,
    tokenIds: Int32Array.of(1, 2),
    logProbs: Float32Array.of(Number.NaN, -1),
  };
  expect(eventFromJson(eventToJson(event))).toEqual({ ...event, atMs: 1.235 });
});

const commit = '{"type":"token-commit","atMs":1,"row":0,"position":0,"tokenIds":[1]}';
const deep = (begin: string, end: string): string => commit.replace('[1]', begin.repeat(50_000) + end.repeat(50_000));

it.each<[string, unknown]>([
  ...['', '{', '3', 'null', '{}', '{"type":"trace"}', '[]'].map((json): [string, unknown] => [json, json]),
  ['a field is missing', '{"type":"token-commit"}'],
  ['its type is a list', commit.replace('"token-commit"', '["token-commit"]')],
  ['tokens are texts', commit.replace('[1]', '["1"]')],
  ['a token is no number', commit.replace('[1]', '[null]')],
  ['a token is a fraction', commit.replace('[1]', '[1.5]')],
  ['a token has too many bits', commit.replace('[1]', '[4294967296]')],
  ['it has a field of no event', commit.replace('"row"', '"row":0,"rows"')],
  ['a row is negative', commit.replace('"row":0', '"row":-1')],
  ['arrays lie in one another', deep('[', ']')],
  ['objects lie in one another', deep('{"a":[', ']}')],
  ['it is a number', 5],
  ['it is missing', undefined],
])('it is no event where %s', (_, json) => {
  expect(() => eventFromJson(json as string)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

it.each<unknown>([
  undefined,
  {},
  { type: ['token-commit'] },
  { type: 'token-commit', row: 5n },
  { header: 5, events: [] },
  { header: { type: 'trace' }, events: [{}] },
])('what is no event and no trace is not written: %#', (odd) => {
  const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
  expect(() => eventToJson(odd as DecodeEvent)).toThrow(refused);
  expect(() => writeTrace(odd as Trace)).toThrow(refused);
});

it('the recorded traces are read, with a byte order mark and carriage returns too', async () => {
  const folder = new URL('../../../apps/playground/traces/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const trace = readTrace(text);
    expect(readTrace(`\ufeff${text.replaceAll('\n', '\r\n')}`)).toEqual(trace);
    expect(readTrace(writeTrace(trace))).toEqual(trace);
  }
});

const end = '{"type":"decode-end","atMs":1,"results":[],"statistics":{}}';
const header = '{"type":"trace","version":1,"repeats":[1],"tokens":{}}';
const whole =
  '{"type":"trace","version":1,"strategy":"x","task":"","input":"","seed":0,"options":{},"text":"","runtime":"","chosen":"middle","repeats":[1],"tokens":{}}';
it.each([
  ['nothing', '', 'first line'],
  ['no header', end, 'first line'],
  ['another version', `${header.replace('1', '2')}\n${end}`, 'version 1'],
  ['no JSON', `${header}\n{\n${end}`, 'Line 2'],
  ['no event', `${header}\n{"type":"x"}\n${end}`, 'Line 2'],
  ['no end', header, 'cut'],
  ['a header without a strategy', `${header}\n${end}`, 'strategy'],
  ['an event without its fields', `${whole}\n${end}`, 'line[2].statistics.forwards'],
])('a trace with %s is refused', (_, text, words) => {
  expect(() => readTrace(text)).toThrow(words);
  expect(() => readTrace(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
