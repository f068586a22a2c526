import type {
  Alternatives,
  CanvasReviseEvent,
  CtcLattice,
  DagLattice,
  DecodeEndEvent,
  DecodeEvent,
  DecodeStatistics,
  DraftEndEvent,
  DraftTree,
  Hypothesis,
  Lattice,
  RowResult,
  SearchBranch,
  SpeculationStatistics,
  TokenAlignment,
  TokenCommitEvent,
} from '@foretoken/core';
import { fields, flag, integer, lengthOf, listOf, type OptionReader, oneOf, wrongValue } from '@foretoken/core/kit';

const count = integer(0);
const real = (value: unknown): value is number => typeof value === 'number';

/** Numbers from JSON, `null` where one was not finite, as 32-bit floats. */
function floats(missing: number): OptionReader<Float32Array> {
  return (name, value) => {
    const list = lengthOf(value) === undefined ? undefined : (value as readonly unknown[]);
    if (list?.every((one) => one === null || real(one)) !== true) {
      throw wrongValue(name, value, 'an array of numbers, with null for those that are not finite');
    }
    return Float32Array.from(list, (one) => (real(one) ? one : missing));
  };
}

const integers: OptionReader<Int32Array> = (name, value) => {
  const list = lengthOf(value) === undefined ? undefined : (value as readonly unknown[]);
  if (list?.every((one) => real(one) && one === (one | 0)) === true) return Int32Array.from(list as readonly number[]);
  throw wrongValue(name, value, 'an array of 32-bit integers');
};

/** A natural-log probability or a score; JSON has no word for an impossible one. */
const score: OptionReader<number> = (name, value) => {
  if (value === null) return Number.NEGATIVE_INFINITY;
  if (real(value)) return value;
  throw wrongValue(name, value, 'a number, or null for one that is not finite');
};
/** Milliseconds. */
export const milliseconds: OptionReader<number> = (name, value) => {
  if (real(value) && value >= 0) return value;
  throw wrongValue(name, value, 'a number of milliseconds from 0');
};

const unknown = floats(Number.NaN);
const impossible = floats(Number.NEGATIVE_INFINITY);

const alignment = fields<TokenAlignment>({ firstFrames: integers, lastFrames: integers, logProbs: unknown }, [
  'firstFrames',
  'lastFrames',
  'logProbs',
]);
const branch = fields<SearchBranch>({ tokenIds: integers, logProb: score, finished: flag }, [
  'tokenIds',
  'logProb',
  'finished',
]);
const hypothesis = fields<Hypothesis>(
  {
    tokenIds: integers,
    score,
    logProb: score,
    tokenLogProbs: unknown,
    alternatives: listOf(fields<Alternatives>({ tokenIds: integers, logProbs: unknown }, ['tokenIds', 'logProbs'])),
    alignment,
    finishReason: oneOf('end-token', 'length', 'stop-sequence', 'stop-string', 'complete'),
  },
  ['tokenIds', 'finishReason'],
);
const statistics = fields<DecodeStatistics>(
  {
    forwards: count,
    otherForwards: count,
    tokens: count,
    speculation: fields<SpeculationStatistics>(
      { draftForwards: count, proposed: count, evaluated: count, accepted: count },
      ['draftForwards', 'proposed', 'evaluated', 'accepted'],
    ),
    totalMs: milliseconds,
  },
  ['forwards', 'tokens', 'totalMs'],
);

const CELLS = { k: count, tokenIds: integers, logProbs: impossible };
const ctc = fields<CtcLattice>(
  { kind: oneOf('ctc'), frames: count, blankId: integer(-(2 ** 31)), blankLogProbs: impossible, ...CELLS },
  ['kind', 'frames', 'k', 'blankId', 'tokenIds', 'logProbs', 'blankLogProbs'],
);
const dag = fields<DagLattice>({ kind: oneOf('dag'), vertices: count, transitions: impossible, ...CELLS }, [
  'kind',
  'vertices',
  'k',
  'tokenIds',
  'logProbs',
  'transitions',
]);
const lattice: OptionReader<Lattice> = (name, value) =>
  (Object(value) as { readonly kind?: unknown }).kind === 'dag' ? dag(name, value) : ctc(name, value);

const BASE = { atMs: milliseconds, row: count };

/** How an event of each type is read from what JSON gave. Throws `INVALID_ARGUMENT` naming the field. */
const EVENTS: { readonly [Type in DecodeEvent['type']]: OptionReader<Extract<DecodeEvent, { type: Type }>> } = {
  'token-commit': fields<TokenCommitEvent>(
    { ...BASE, type: oneOf('token-commit'), position: count, tokenIds: integers },
    ['atMs', 'row', 'position', 'tokenIds'],
  ),
  'canvas-revise': fields<CanvasReviseEvent>(
    {
      ...BASE,
      type: oneOf('canvas-revise'),
      tokenIds: integers,
      logProbs: unknown,
      origins: integers,
      alignment,
      branches: listOf(branch),
      lattice,
    },
    ['atMs', 'row', 'tokenIds'],
  ),
  'draft-end': fields<DraftEndEvent>(
    {
      ...BASE,
      type: oneOf('draft-end'),
      round: count,
      depth: count,
      proposed: count,
      evaluated: count,
      accepted: count,
      draft: fields<DraftTree>({ tokenIds: integers, parents: integers, probabilities: unknown }, [
        'tokenIds',
        'parents',
      ]),
    },
    ['atMs', 'row', 'round', 'depth', 'proposed', 'evaluated', 'accepted', 'draft'],
  ),
  'decode-end': fields<DecodeEndEvent>(
    {
      type: oneOf('decode-end'),
      atMs: milliseconds,
      results: listOf(
        fields<RowResult>({ row: count, best: hypothesis, hypotheses: listOf(hypothesis, 1) }, [
          'row',
          'best',
          'hypotheses',
        ]),
      ),
      statistics,
    },
    ['atMs', 'results', 'statistics'],
  ),
};

export const EVENT_TYPES: readonly string[] = Object.keys(EVENTS);

/** Whether a value is an event by its type. */
export function isEvent(value: unknown): value is DecodeEvent {
  try {
    const type: unknown = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
    return typeof type === 'string' && EVENT_TYPES.includes(type);
  } catch {
    return false;
  }
}

/** An event from what JSON gave, its arrays of numbers typed ones. Throws `INVALID_ARGUMENT` naming what is wrong. */
export function readEvent(name: string, value: unknown): DecodeEvent {
  if (isEvent(value)) return EVENTS[value.type](name, value);
  throw wrongValue(name, value, `an event of a decode, whose type is one of ${EVENT_TYPES.join(', ')}`);
}
