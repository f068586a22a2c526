import type { DecodeEvent, Decoder } from '@foretoken/core';
import {
  assertDecoder,
  checkOptions,
  fields,
  hasMethods,
  number,
  type OptionReader,
  type OptionTable,
  oneOf,
  text as readText,
  withMethods,
  wrongValue,
} from '@foretoken/core/kit';
import { type Attributes, context, type Meter, metrics, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { DecodeMetrics } from './decode-metrics.js';
import { DecodeSpan } from './decode-span.js';
import { GEN_AI, OURS } from './names.js';
import { requestAttributes } from './request-attributes.js';

/** Settings that a decoder was made with, for those who read spans. */
export interface TracedSettings {
  /** Scores are divided by it; 0 takes the most probable token. */
  readonly temperature?: number | undefined;
  /** The most probable tokens are kept that have this probability together, up to 1. */
  readonly topP?: number | undefined;
  /** So many of the most probable tokens are kept. */
  readonly topK?: number | undefined;
  /** Subtracted from the score of each token that occurred in the output. */
  readonly presencePenalty?: number | undefined;
  /** Subtracted from the score of a token for each time that it occurred in the output. */
  readonly frequencyPenalty?: number | undefined;
}

const SETTING_NAMES = ['temperature', 'topP', 'topK', 'presencePenalty', 'frequencyPenalty'] as const;

/** What spans and metrics of a decoder say, and where they go. */
export interface TracedOptions {
  /** What the model is called, in spans and metrics. */
  readonly model: string;
  /** What is done with it; default `text_completion`. */
  readonly operation?: 'chat' | 'generate_content' | 'text_completion' | undefined;
  /** What the decoder was made with; default nothing. A decoder does not say it itself. */
  readonly settings?: TracedSettings | undefined;
  /** Makes the spans; default: that of the global provider, asked for at each decode. */
  readonly tracer?: Tracer | undefined;
  /** Makes the metrics; default: that of the global provider, asked for at each decode. */
  readonly meter?: Meter | undefined;
}

const anyNumber: OptionReader<number> = number(-Number.MAX_VALUE, Number.MAX_VALUE);

const OPTIONS: OptionTable<TracedOptions> = {
  model: readText,
  operation: oneOf('chat', 'generate_content', 'text_completion'),
  settings: fields<TracedSettings>({
    temperature: anyNumber,
    topP: anyNumber,
    topK: anyNumber,
    presencePenalty: anyNumber,
    frequencyPenalty: anyNumber,
  }),
  tracer: withMethods('a tracer of OpenTelemetry', 'startSpan'),
  meter: withMethods('a meter of OpenTelemetry', 'createHistogram'),
};

const SCOPE = '@foretoken/opentelemetry';

const knownMetrics: WeakMap<Meter, DecodeMetrics> = new WeakMap();

/** The histograms of a meter, made once. */
function metricsOf(meter: Meter): DecodeMetrics {
  const known = knownMetrics.get(meter);
  if (known !== undefined) return known;
  const made = new DecodeMetrics(meter);
  knownMetrics.set(meter, made);
  return made;
}

/**
 * The same decoder, with a span and metrics of each decode under OpenTelemetry's names for generative AI. Texts and tokens are
 * never recorded, and outputs are the decoder's own.
 *
 * A span is a child of the one that is active where `decode` is called; spans that are made inside the decode are its children. It
 * ends with the iteration: by the last event, an error, an abort, or a `break`.
 *
 * Throws `INVALID_ARGUMENT`. Decodes throw what the decoder throws.
 */
export function traced<Model>(decoder: Decoder<Model>, given: TracedOptions): Decoder<Model> {
  if (!hasMethods(decoder, 'decode')) throw wrongValue('decoder', decoder, 'a decoder, such as greedy()');
  const { name, requires } = assertDecoder(decoder);
  const options = checkOptions('traced', given, OPTIONS, ['model']);
  const { model: modelName, operation = 'text_completion', settings = {} } = options;
  const common: Attributes = {
    [GEN_AI.operation]: operation,
    [GEN_AI.provider]: 'foretoken',
    [GEN_AI.requestModel]: modelName,
    [GEN_AI.responseModel]: modelName,
  };
  const made = Object.fromEntries(
    SETTING_NAMES.flatMap((one) => (settings[one] === undefined ? [] : [[GEN_AI[one], settings[one]] as const])),
  );
  return {
    name,
    requires,
    accepts: decoder.accepts,
    decode(model, request) {
      const parent = context.active();
      const start = (): DecodeSpan => {
        const tracer = options.tracer ?? trace.getTracer(SCOPE);
        const meter = options.meter ?? metrics.getMeter(SCOPE);
        const attributes = { ...common, ...made, ...requestAttributes(request), [OURS.decoder]: name };
        const span = tracer.startSpan(`${operation} ${modelName}`, { kind: SpanKind.INTERNAL, attributes }, parent);
        return new DecodeSpan(span, parent, metricsOf(meter), common, request);
      };
      return watched(() => decoder.decode(model, request), start);
    },
  };
}

async function* watched(
  decode: () => AsyncIterable<DecodeEvent>,
  start: () => DecodeSpan,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const span = start();
  let iterator: AsyncIterator<DecodeEvent> | undefined;
  try {
    const opened = span.within(() => decode()[Symbol.asyncIterator]());
    iterator = opened;
    for (;;) {
      const { done, value } = await span.within(() => opened.next());
      if (done === true) {
        iterator = undefined;
        return;
      }
      span.see(value);
      yield value;
    }
  } catch (error) {
    iterator = undefined;
    span.fail(error);
    throw error;
  } finally {
    // Whoever reads has gone away: what the decode opened is released inside the span.
    const left = iterator;
    if (left !== undefined) await span.within(async () => left.return?.());
    span.end();
  }
}
