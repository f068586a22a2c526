import type {
  CanvasModel,
  CanvasPrediction,
  CanvasSession,
  EditModel,
  EditSession,
  OpenOptions,
  TokenSource,
} from '@foretoken/core';
import { ENCODING, type Fault, OPTIONS } from './model-fault.js';

type CanvasOf = CanvasModel<TokenSource>;
type EditOf = EditModel<TokenSource>;

const REFUSES_OPEN = 'refuses sources that are none, and opens nothing for a signal that was aborted';

/** Sessions that answer otherwise than those behind them. */
function sessions<Session extends object, Model extends { open(...given: never[]): Promise<Session> }>(
  change: (session: Session, sources: readonly TokenSource[]) => Partial<Session>,
): (model: Model) => Model {
  return (model) =>
    ({
      ...model,
      async open(...given: never[]): Promise<Session> {
        const session = await model.open(...given);
        const own = change(session, given[0] as readonly TokenSource[]) as Record<string | symbol, unknown>;
        return new Proxy(session, {
          get(target, name) {
            const value = Object.hasOwn(own, name) ? own[name] : Reflect.get(target, name, target);
            return typeof value === 'function' && !Object.hasOwn(own, name) ? value.bind(target) : value;
          },
        });
      },
    }) as Model;
}

const canvas = sessions<CanvasSession, CanvasOf>;
const edit = sessions<EditSession, EditOf>;

/** Faults of opening, which models of canvases and of edits have alike. */
function openFaults<Model extends CanvasOf | EditOf>(): Fault<Model>[] {
  const opening =
    (missing: 'encoding' | 'signal') =>
    (model: Model): Model => ({
      ...model,
      open: (sources: readonly TokenSource[], options?: object) =>
        model.open(sources, { ...options, [missing]: undefined }),
    });
  return [
    {
      fault: 'looks at no option that it does not know',
      law: OPTIONS,
      plant: (model) => ({
        ...model,
        open: (sources: readonly TokenSource[], options: OpenOptions = {}) =>
          model.open(sources, { encoding: options.encoding, signal: options.signal }),
      }),
    },
    { fault: 'looks at no encoding', law: ENCODING, plant: opening('encoding') },
    { fault: 'does not look at the signal', law: REFUSES_OPEN, plant: opening('signal') },
  ];
}

type Change = <Prediction extends CanvasPrediction>(predictions: Prediction[], rows: number) => Prediction[];

const filling = (change: Change) => ({
  change: (session: Pick<CanvasSession, 'fill'>): Pick<CanvasSession, 'fill'> => ({
    fill: async (canvases, output, signal) => change(await session.fill(canvases, output, signal), canvases.length),
  }),
});

const add = (values: Float32Array, sum: number): void => values.set(values.map((value) => value + sum));

const lower: Change = (predictions, rows) => {
  for (const prediction of predictions) {
    if ('logProbs' in prediction) add(prediction.logProbs, -0.001 * (rows - 1));
    if ('logits' in prediction) add(prediction.logits, -0.001 * (rows - 1));
  }
  return predictions;
};
/** The arrays of the first answer of each length, written into again by every later one. */
const sameArrays = (): Change => {
  const arrays = new Map<number, Float32Array>();
  return (predictions) => {
    for (const [index, prediction] of predictions.entries()) {
      if (!('logits' in prediction)) continue;
      const kept = arrays.get(index);
      if (kept === undefined || kept.length < prediction.logits.length) {
        arrays.set(index, prediction.logits);
        continue;
      }
      kept.set(prediction.logits);
      Object.assign(prediction, { logits: kept.subarray(0, prediction.logits.length) });
    }
    return predictions;
  };
};
const worstFirst: Change = (predictions) => {
  for (const prediction of predictions) if (prediction.kind === 'topK') prediction.logProbs.reverse();
  return predictions;
};

const ALONE = 'fills a canvas beside others as it fills it alone, in their order';
const KINDS = 'says in each kind of output what it says in the others';
const LENGTHS = 'predicts lengths best first, of a row beside others as of the row alone, or refuses to';
const REFUSES_CANVAS = 'refuses canvases that it cannot hold, and goes on after an abort';
const APART = 'keeps its sessions apart, and answers nothing after one was disposed of';

/** Asks with canvases cut to what the model can hold, tokens and rows that it has. */
const lenient = <Session extends Pick<CanvasSession, 'fill'>>(session: Session): Pick<CanvasSession, 'fill'> => ({
  fill: (canvases, output, signal) =>
    session.fill(
      canvases.map(({ row, tokenIds }) => ({
        row: Math.min(Math.max(row, 0), 2),
        tokenIds: tokenIds.map((id) => id % 9),
      })),
      output,
      signal,
    ),
});

export const CANVAS_FAULTS: readonly Fault<CanvasOf>[] = [
  { fault: 'lets canvases influence one another', law: ALONE, plant: canvas(filling(lower).change) },
  { fault: 'answers in reverse', law: ALONE, plant: canvas(filling((predictions) => predictions.reverse()).change) },
  {
    fault: 'writes into canvases',
    law: ALONE,
    plant: canvas((session) => ({
      async fill(canvases, output, signal) {
        const predictions = await session.fill(canvases, output, signal);
        for (const { tokenIds } of canvases) tokenIds.fill(0);
        return predictions;
      },
    })),
  },
  {
    fault: 'writes into the arrays of earlier answers',
    law: ALONE,
    plant: canvas((session) => filling(sameArrays()).change(session)),
  },
  { fault: 'lists the worst candidate first', law: KINDS, plant: canvas(filling(worstFirst).change) },
  {
    fault: 'gives log-probabilities that are none',
    law: KINDS,
    plant: canvas((session) => ({
      async fill(canvases, output, signal) {
        const predictions = await session.fill(canvases, output, signal);
        for (const one of predictions) if (one.kind === 'logProbs') add(one.logProbs, 1);
        return predictions;
      },
    })),
  },
  {
    fault: 'answers what it says it does not offer',
    law: KINDS,
    plant: (model) => ({ ...model, supports: { ...model.supports, outputs: ['topK'] } }),
  },
  {
    fault: 'says that it has more candidates than it gives',
    law: KINDS,
    plant: (model) => ({
      ...model,
      supports: { ...model.supports, maxCandidates: model.supports.maxCandidates + 1 },
    }),
  },
  {
    fault: 'gives more candidates than it says it has',
    law: KINDS,
    plant: (model) => ({
      ...model,
      supports: { ...model.supports, maxCandidates: model.supports.maxCandidates - 1 },
    }),
  },
  {
    fault: 'takes no number of candidates for one',
    law: KINDS,
    plant: canvas((session) => ({
      fill: (canvases, output, signal) =>
        session.fill(canvases, output.kind === 'topK' ? { ...output, k: output.k ?? 1 } : output, signal),
    })),
  },
  {
    fault: 'leaves hidden states that it was asked for out, and says nothing',
    law: KINDS,
    plant: canvas((session) => ({
      fill: (canvases, output, signal) => session.fill(canvases, { ...output, states: undefined }, signal),
    })),
  },
  {
    fault: 'lists the least probable length first',
    law: LENGTHS,
    plant: canvas((session) => ({
      predictLengths: async (k, signal) =>
        (await session.predictLengths(k, signal)).map((one) => ({
          ...one,
          lengths: one.lengths.slice().reverse(),
          logProbs: one.logProbs.slice().reverse(),
        })),
    })),
  },
  {
    fault: 'predicts lengths by the batch',
    law: LENGTHS,
    plant: canvas((session, sources) => ({
      predictLengths: async (k, signal) =>
        (await session.predictLengths(k, signal)).map((one) => ({
          ...one,
          logProbs: one.logProbs.map((value) => value - sources.length),
        })),
    })),
  },
  { fault: 'takes any canvas', law: REFUSES_CANVAS, plant: canvas(lenient) },
  {
    fault: 'says that it holds longer canvases than it does',
    law: REFUSES_CANVAS,
    plant: (model) => ({ ...model, maxLength: model.maxLength + 3 }),
  },
  {
    fault: 'does not look at the signal of a fill',
    law: REFUSES_CANVAS,
    plant: canvas((session) => ({ fill: (canvases, output) => session.fill(canvases, output) })),
  },
  {
    fault: 'answers after it was disposed of',
    law: APART,
    plant: canvas(() => ({ async [Symbol.asyncDispose]() {} })),
  },
  ...openFaults<CanvasOf>(),
];

const SAYS = 'says of a canvas beside others what it says of it alone, in their order';
const NUMBERS = 'gives a log-probability to each deletion, and a number of placeholders to each gap';
const REFUSES_EDIT = 'refuses canvases that are none, and goes on after an abort';

export const EDIT_FAULTS: readonly Fault<EditOf>[] = [
  {
    fault: 'lets canvases influence one another',
    law: SAYS,
    plant: edit((session) => ({
      placeholders: async (canvases, signal) =>
        (await session.placeholders(canvases, signal)).map((counts) => counts.map((count) => count + canvases.length)),
    })),
  },
  {
    fault: 'answers in reverse',
    law: SAYS,
    plant: edit((session) => ({
      deletions: async (canvases, signal) => (await session.deletions(canvases, signal)).reverse(),
    })),
  },
  {
    fault: 'gives probabilities of deletions',
    law: NUMBERS,
    plant: edit((session) => ({
      deletions: async (canvases, signal) =>
        (await session.deletions(canvases, signal)).map((logProbs) => logProbs.map(Math.exp)),
    })),
  },
  {
    fault: 'counts a gap after the last token',
    law: NUMBERS,
    plant: edit((session) => ({
      placeholders: async (canvases, signal) =>
        (await session.placeholders(canvases, signal)).map((counts) => Int32Array.of(...counts, 0)),
    })),
  },
  { fault: 'fills canvases by what is beside them', law: ALONE, plant: edit(filling(lower).change) },
  {
    fault: 'lists the worst candidate first',
    law: 'ranks candidates best first',
    plant: edit(filling(worstFirst).change),
  },
  {
    fault: 'does not look at the signal of a call',
    law: REFUSES_EDIT,
    plant: edit((session) => ({ deletions: (canvases) => session.deletions(canvases) })),
  },
  { fault: 'takes any canvas', law: REFUSES_EDIT, plant: edit(lenient) },
  {
    fault: 'says that it holds longer canvases than it does',
    law: REFUSES_EDIT,
    plant: (model) => ({ ...model, maxLength: model.maxLength + 3 }),
  },
  {
    fault: 'answers after it was disposed of',
    law: APART,
    plant: edit(() => ({ async [Symbol.asyncDispose]() {} })),
  },
  ...openFaults<EditOf>(),
];
