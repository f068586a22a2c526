import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DecodeEvent } from '@foretoken/core';
import { loadModel } from '@foretoken/models';
import { readTrace, writeTrace } from '@foretoken/streams';
import { describe, expect, it } from 'vitest';
import { RECORDINGS } from '../scripts/recordings.js';
import { createDecoder } from '../src/run/create-decoder.js';
import { strategyOf } from '../src/run/strategies.js';
import { taskOf } from '../src/run/tasks.js';
import { resultOf } from '../src/trace/trace.js';

const FOLDER = fileURLToPath(new URL('../traces/', import.meta.url));
const FILES = readdirSync(FOLDER);
const read = (file: string): string => readFileSync(`${FOLDER}${file}`, 'utf8');
const MODELS = fileURLToPath(new URL('../../../packages/', import.meta.url));

/** What happened, without when. */
const shape = (events: readonly DecodeEvent[]): string[] =>
  events.map((event) => ('tokenIds' in event ? `${event.type} ${event.tokenIds.join(' ')}` : event.type));

describe('recorded traces', () => {
  it('are the ones that are asked for, and under 100 kB in all', () => {
    const names = RECORDINGS.flatMap(({ strategies }) => Object.keys(strategies).map((name) => `${name}.jsonl`));
    expect(FILES.toSorted()).toEqual(names.toSorted());
    expect(FILES.reduce((bytes, file) => bytes + read(file).length, 0)).toBeLessThan(100_000);
  });

  it.each(FILES)('%s is written as it was read, and its steps are in order', (file) => {
    const trace = readTrace(read(file));
    expect(writeTrace(trace)).toBe(read(file));
    const times = trace.events.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(trace.header.repeats.length).toBeGreaterThan(1);
  });

  it.each(RECORDINGS)('$task: the models of today do what was recorded', async ({ task, input, seed, strategies }) => {
    const folder = `${MODELS}model-${taskOf(task).folder}/model`;
    await using model = await loadModel(folder, { probe: false, threads: 1 });
    for (const [name, id] of Object.entries(strategies)) {
      const strategy = strategyOf(id);
      if (strategy === undefined) throw new Error(`There is no strategy ${id}.`);
      const recorded = readTrace(read(`${name}.jsonl`));
      const events: DecodeEvent[] = [];
      const decoder = await createDecoder(strategy, model, recorded.header.options);
      const { text } = await model.decode(input, decoder, { seed, onEvent: (event) => events.push(event) });
      expect(text).toBe(recorded.header.text);
      expect(shape(events)).toEqual(shape(recorded.events));
      for (const tokenId of resultOf(recorded).best.tokenIds) {
        expect(recorded.header.tokens[tokenId]).toBeDefined();
      }
    }
  });
});

describe('readTrace', () => {
  const [header, ...events] = read('greedy.jsonl').trim().split('\n');

  it('says what is wrong with what is no trace', () => {
    expect(() => readTrace('')).toThrow('first line');
    expect(() => readTrace('{"type":"token-commit"}')).toThrow('first line');
    expect(() => readTrace(`${header}\n{`)).toThrow('Line 2');
    expect(() => readTrace(String(header).replace('"version":1', '"version":2'))).toThrow('version 1');
    expect(() => readTrace([header, ...events.slice(0, -1)].join('\n'))).toThrow('decode-end');
  });

  it('keeps what is impossible in a lattice', () => {
    const trace = readTrace(read('ctc.jsonl'));
    const [revision] = trace.events;
    if (revision.type !== 'canvas-revise' || revision.lattice?.kind !== 'ctc') throw new Error('CTC was expected');
    const lattice = { ...revision.lattice, logProbs: revision.lattice.logProbs.map(() => Number.NEGATIVE_INFINITY) };
    const written = writeTrace({ ...trace, events: [{ ...revision, lattice }, ...trace.events.slice(1)] });
    expect(readTrace(written).events[0]).toMatchObject({ lattice: { logProbs: lattice.logProbs } });
  });

  it('gives typed arrays back, with what is unknown and what is impossible', () => {
    const dag = readTrace(read('dag.jsonl')).events.find((event) => event.type === 'canvas-revise');
    if (dag?.lattice?.kind !== 'dag') throw new Error('a DAG lattice was expected');
    expect(dag.tokenIds).toBeInstanceOf(Int32Array);
    expect(dag.lattice.transitions[0]).toBe(Number.NEGATIVE_INFINITY);
    const edits = readTrace(read('levenshtein.jsonl')).events.find((event) => event.type === 'canvas-revise');
    expect(edits?.logProbs?.[0]).toBeNaN();
    expect(edits?.origins?.[0]).toBe(-1);
  });
});
