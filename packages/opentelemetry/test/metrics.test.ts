import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { type DataPoint, type Histogram, MeterProvider } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import { traced } from '../src/index.js';
import { GEN_AI } from '../src/names.js';
import { counting, exporter, metricExporter, reader, sources } from './exporters.js';

/** Counts and sums of all histograms, by name. */
async function histograms(): Promise<Record<string, DataPoint<Histogram>[]>> {
  await reader.forceFlush();
  const found = metricExporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return Object.fromEntries(
    found.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as DataPoint<Histogram>[]]),
  );
}

describe('the metrics', () => {
  it('count tokens, and measure the whole and the first token', async () => {
    const decoder = traced(greedy(), { model: 'm' });
    for (let time = 0; time < 2; time++) await collect(decoder.decode(counting(), { sources }));
    const found = await histograms();
    expect(Object.keys(found).sort()).toEqual([
      'gen_ai.client.operation.duration',
      'gen_ai.client.operation.time_to_first_chunk',
      'gen_ai.client.token.usage',
    ]);
    const tokens = found['gen_ai.client.token.usage'];
    const of = (type: string) => tokens.find(({ attributes }) => attributes['gen_ai.token.type'] === type)?.value;
    expect(of('input')).toMatchObject({ count: 2, sum: 8 });
    expect(of('output')).toMatchObject({ count: 2, sum: 24 });
    const [duration] = found['gen_ai.client.operation.duration'];
    expect(duration?.value.count).toBe(2);
    expect(duration?.attributes).toEqual({
      'gen_ai.operation.name': 'text_completion',
      'gen_ai.provider.name': 'foretoken',
      'gen_ai.request.model': 'm',
      'gen_ai.response.model': 'm',
    });
    expect(found['gen_ai.client.operation.time_to_first_chunk'][0]?.value.count).toBe(2);
  });

  it('name what failed', async () => {
    const decoding = collect(traced(greedy(), { model: 'm' }).decode(counting(), { sources: [] }));
    await expect(decoding).rejects.toThrow();
    const [duration] = (await histograms())['gen_ai.client.operation.duration'];
    expect(duration?.attributes).toMatchObject({ 'error.type': 'EMPTY_SOURCE' });
  });
});

it('takes a tracer and a meter of its own', async () => {
  const own = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(own)] });
  const meter = new MeterProvider().getMeter('own');
  const decoder = traced(greedy(), { model: 'm', tracer: provider.getTracer('own'), meter });
  await collect(decoder.decode(counting(), { sources }));
  expect(own.getFinishedSpans().length).toBe(1);
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('uses names that OpenTelemetry knows', () => {
  const known = new Set(Object.values(conventions).filter((name) => typeof name === 'string'));
  expect(Object.values(GEN_AI).filter((name) => !known.has(name))).toEqual([]);
});
