import type { AutoregressiveModel } from '@foretoken/core';
import { scriptedModel } from '@foretoken/testkit';
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll } from 'vitest';

export const exporter = new InMemorySpanExporter();
export const metricExporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
export const reader = new PeriodicExportingMetricReader({
  exporter: metricExporter,
  exportIntervalMillis: 2 ** 31 - 1,
});

const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const meters = new MeterProvider({ readers: [reader] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
});
afterEach(async () => {
  exporter.reset();
  await reader.forceFlush();
  metricExporter.reset();
});
afterAll(async () => {
  await meters.shutdown();
  for (const one of [context, trace, metrics]) one.disable();
});

/** Writes 1, 2, 3, ... up to the end, whatever it reads. */
export const counting = (length = 6): AutoregressiveModel<Int32Array> =>
  scriptedModel({
    vocabularySize: 10,
    endTokenId: 0,
    score: (_source, output) =>
      Array.from({ length: 10 }, (_, tokenId) =>
        tokenId === (output.length < length ? output.length + 1 : 0) ? 5 : 0,
      ),
  });
export const sources = [Int32Array.of(1, 2, 3), Int32Array.of(4)];
