import { type AutoregressiveModel, collect, type DecodeEvent, type Decoder } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { latticeDrafter, speculative } from '@foretoken/speculative';
import { autoregressiveConformance } from '@foretoken/testkit';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from 'vitest';
import { traced } from '../src/index.js';
import { counting, exporter, sources } from './exporters.js';

const TRANSLATION = new URL('../../model-multi30k-en-de/model', import.meta.url);
const SENTENCE = 'A man rides a bicycle along the beach.';

function raise(): never {
  throw new Error('It cannot be read.');
}

function onlySpan(): ReadableSpan {
  const spans = exporter.getFinishedSpans();
  expect(spans.length).toBe(1);
  return spans[0];
}

describe('a span', () => {
  it('says what was asked, what was read and written, and why it ended', async () => {
    const decoder = traced(sampling({ temperature: 0.01, topK: 3 }), {
      model: 'counting',
      operation: 'chat',
      settings: { temperature: 0.01, topK: 3, topP: 1, presencePenalty: 0, frequencyPenalty: 0 },
    });
    const stopStrings = { strings: ['9'], textOf: (tokenIds: Int32Array) => tokenIds.join('') };
    const request = { sources, maxNewTokens: 8, seed: 7, stopStrings };
    const result = await collect(decoder.decode(counting(), request));
    const span = onlySpan();
    expect(span.name).toBe('chat counting');
    expect(span.kind).toBe(SpanKind.INTERNAL);
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'foretoken',
      'gen_ai.request.model': 'counting',
      'gen_ai.response.model': 'counting',
      'gen_ai.request.temperature': 0.01,
      'gen_ai.request.top_k': 3,
      'gen_ai.request.top_p': 1,
      'gen_ai.request.presence_penalty': 0,
      'gen_ai.request.frequency_penalty': 0,
      'gen_ai.request.max_tokens': 8,
      'gen_ai.request.seed': 7,
      'gen_ai.request.stop_sequences': ['9'],
      'gen_ai.usage.input_tokens': 4,
      'gen_ai.usage.output_tokens': 12,
      'gen_ai.response.finish_reasons': ['stop', 'stop'],
      'gen_ai.response.time_to_first_chunk': expect.any(Number),
      'foretoken.decoder': 'sampling',
      'foretoken.rows': 2,
      'foretoken.forwards': result.statistics.forwards,
    });
    expect(span.events.map(({ name }) => name)).toEqual(['foretoken.first_token']);
  });

  it('counts what outputs begin with as input, and names the limit', async () => {
    const outputPrefixes = [Int32Array.of(1, 2), Int32Array.of()];
    await collect(traced(greedy(), { model: 'm' }).decode(counting(), { sources, outputPrefixes, maxNewTokens: 3 }));
    expect(onlySpan().attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 6,
      'gen_ai.usage.output_tokens': 6,
      'gen_ai.response.finish_reasons': ['length', 'length'],
    });
  });

  it('has the statistics of speculation, and works wherever a decoder does', async () => {
    const model = await loadModel(TRANSLATION, { probe: false });
    const plain = speculative({ drafter: latticeDrafter(model.speculation()) });
    const expected = await model.decode(SENTENCE, plain);
    const events: DecodeEvent[] = [];
    const decoder = traced(plain, { model: 'en-de' });
    const result = await model.decode(SENTENCE, decoder, { onEvent: (event) => void events.push(event) });
    expect(result.text).toBe(expected.text);
    const { speculation, forwards } = expected.statistics;
    expect(speculation).toBeDefined();
    expect(onlySpan().attributes).toMatchObject({
      'gen_ai.usage.input_tokens': expected.source.length,
      'gen_ai.usage.output_tokens': expected.tokenIds.length,
      'foretoken.decoder': 'speculative',
      'foretoken.forwards': forwards,
      'foretoken.speculation.rounds': events.filter((event) => event.type === 'draft-end' && event.evaluated > 0)
        .length,
      'foretoken.speculation.draft_forwards': speculation?.draftForwards,
      'foretoken.speculation.proposed': speculation?.proposed,
      'foretoken.speculation.evaluated': speculation?.evaluated,
      'foretoken.speculation.accepted': speculation?.accepted,
    });
    exporter.reset();
    expect((await model.decode(SENTENCE, traced(ctcGreedy(), { model: 'en-de' }))).text).not.toBe('');
    expect(onlySpan().attributes['foretoken.decoder']).toBe('ctc-greedy');
    await model.dispose();
  });

  it('is a child of the active one, and parent of those made inside', async () => {
    const tracer = trace.getTracer('test');
    const nested = greedy({ processors: [() => tracer.startSpan('rule').end()] });
    const decoder = traced(nested, { model: 'm' });
    await tracer.startActiveSpan('outer', async (outer) => {
      const events = decoder.decode(counting(1), { sources: [Int32Array.of(1)] });
      await context.with(trace.setSpan(context.active(), tracer.startSpan('other')), () => collect(events));
      outer.end();
    });
    const spans = exporter.getFinishedSpans();
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [decode] = named('text_completion m');
    const [outer] = named('outer');
    expect(decode?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(named('rule').length).toBe(2);
    for (const rule of named('rule')) expect(rule.parentSpanContext?.spanId).toBe(decode?.spanContext().spanId);
  });

  it.each([
    ['of ours', { sources: [] }, 'EMPTY_SOURCE'],
    ['for a request that is none', undefined, 'INVALID_ARGUMENT'],
    ['for stops that are none', { sources, stopStrings: 3 }, 'INVALID_ARGUMENT'],
  ])('records an error %s', async (_, request, code) => {
    await expect(collect(traced(greedy(), { model: 'm' }).decode(counting(), request as never))).rejects.toMatchObject({
      code,
    });
    const { status, attributes, events } = onlySpan();
    expect(status.code).toBe(SpanStatusCode.ERROR);
    expect(attributes).toMatchObject({ 'error.type': code, 'gen_ai.usage.output_tokens': 0 });
    expect(attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
    expect(events.map(({ name }) => name)).toEqual(['exception']);
  });

  it('records what a rule throws after some tokens, and an abort', async () => {
    const failing = greedy({
      processors: [
        (_, { output }) => {
          if (output.length > 2) throw new RangeError('no more');
        },
      ],
    });
    const one = { sources: [Int32Array.of(1)] };
    await expect(collect(traced(failing, { model: 'm' }).decode(counting(), one))).rejects.toThrow('no more');
    expect(onlySpan().attributes).toMatchObject({ 'error.type': 'RangeError', 'gen_ai.usage.output_tokens': 3 });
    exporter.reset();
    const abort = new AbortController();
    const read = async () => {
      const request = { ...one, signal: abort.signal };
      for await (const _ of traced(greedy(), { model: 'm' }).decode(counting(), request)) abort.abort();
    };
    await expect(read()).rejects.toThrow();
    expect(onlySpan().attributes).toMatchObject({ 'error.type': 'AbortError', 'gen_ai.usage.output_tokens': 1 });
  });

  it.each([
    ['a value without words', Object.create(null)],
    ['one that fails to be read', new Proxy(new Error('x'), { get: () => raise(), getPrototypeOf: () => raise() })],
    ['an error whose message is none', Object.assign(new Error(), { message: Object.create(null), name: 7 })],
    ['nothing', undefined],
    ['a symbol', Symbol('gone')],
  ])('hands on %s as it was thrown, and ends the span', async (_, thrown: unknown) => {
    const failing: Decoder<AutoregressiveModel<Int32Array>> = {
      ...greedy(),
      // biome-ignore lint/correctness/useYield: it fails before its first event
      async *decode() {
        throw thrown;
      },
    };
    const decode = collect(traced(failing, { model: 'm' }).decode(counting(), { sources }));
    const caught = await decode.catch((error: unknown) => [error]);
    expect(Array.isArray(caught) && Object.is(caught[0], thrown)).toBe(true);
    const { attributes, ended, status } = onlySpan();
    expect([ended, status.code, typeof attributes['error.type']]).toEqual([true, SpanStatusCode.ERROR, 'string']);
  });

  it('ends where whoever reads goes away, and releases what the decode opened inside it', async () => {
    const tracer = trace.getTracer('test');
    const inner: Decoder<AutoregressiveModel<Int32Array>> = {
      ...greedy(),
      async *decode(model, request) {
        try {
          yield* greedy().decode(model, request);
        } finally {
          tracer.startSpan('release').end();
        }
      },
    };
    for await (const _ of traced(inner, { model: 'm' }).decode(counting(), { sources })) break;
    const [release, decode] = exporter.getFinishedSpans();
    expect(release?.name).toBe('release');
    expect(release?.parentSpanContext?.spanId).toBe(decode?.spanContext().spanId);
    expect(decode?.attributes).toMatchObject({ 'foretoken.stopped_early': true, 'gen_ai.usage.output_tokens': 1 });
    expect(decode?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('never holds what was read or written', async () => {
    const stopStrings = { strings: ['secret'], textOf: () => 'private' };
    await collect(traced(greedy(), { model: 'm' }).decode(counting(), { sources, stopStrings }));
    const { attributes, events } = onlySpan();
    expect(JSON.stringify([attributes, events.map((event) => event.attributes)])).not.toContain('private');
  });
});

it.each([
  [{}],
  [{ model: 3 }],
  [{ model: 'm', operation: 'embed' }],
  [{ model: 'm', settings: { heat: 1 } }],
  [{ model: 'm', settings: { topK: 'x' } }],
  [{ model: 'm', tracer: {} }],
  [{ model: 'm', name: 'x' }],
])('options %j are refused', (options) => {
  expect(() => traced(greedy(), options as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

it.each([[{}], [undefined], [{ decode() {} }]])('%j, no decoder, is refused', (decoder) => {
  expect(() => traced(decoder as never, { model: 'm' })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

autoregressiveConformance({
  runner: { describe, it },
  name: 'traced greedy',
  createDecoder: () => traced(greedy(), { model: 'm' }),
  models: 5,
});
