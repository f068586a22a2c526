import type {
  CanvasReviseEvent,
  DecodeEvent,
  DecodeRequest,
  FinishReason,
  Hypothesis,
  RowResult,
} from '@foretoken/core';
import { cutOutput, decodeEnd, meanLogProb, noTokenLeft, rowCuts, rowResult, Yielder } from '@foretoken/core/kit';

/** Tokens as they stand, with natural-log probabilities where a prediction decided them (else NaN); `[length]` each. */
export interface Shown {
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
  /** Where each position stood before, -1 if it is new; where positions move. */
  readonly origins?: Int32Array | undefined;
}

/**
 * The refinement of one canvas, written as the paper writes it: it yields what it wants to ask the model and is handed the
 * answer, while `refineRows` puts the questions of all canvases into as few forwards as hold them.
 */
export interface Candidate<Ask, Answer> {
  /** Where a step takes long it yields `undefined` on the way, so that other work has a turn; the answer means nothing. */
  readonly refinement: Generator<Ask | undefined, void, Answer>;
  /** Added to the mean log-probability that the candidates of a row are ranked by (default 0). */
  readonly bonus?: number | undefined;
  show(): Shown;
}

/** What some of the questions were answered, `undefined` for those that wait, and how many forwards it took. */
export interface Answered<Answer> {
  readonly answers: readonly (Answer | undefined)[];
  readonly forwards: number;
}

/** Answers some of the questions, at least one: those that fit into a forward of bounded size, or one that alone does not. */
export type AnswerAll<Ask, Answer> = (asks: readonly (readonly [row: number, ask: Ask])[]) => Promise<Answered<Answer>>;

/** What the loop needs besides the canvases. */
export interface RefineContext {
  readonly request: DecodeRequest<unknown>;
  readonly endTokenId: number | undefined;
  /** Stands where a canvas is undecided: no output holds it. */
  readonly undecidedTokenId: number;
  /** Output tokens of each row that were given: they count as output but not in scores. */
  readonly given: readonly number[];
  /** Report what the candidates of a row are ranked by, the mean log-probability and a bonus, as `score`. */
  readonly scored: boolean;
  /** Forwards of another model that wrote what refinement starts from, where there is one. */
  readonly otherForwards?: number | undefined;
  readonly began: number;
}

/**
 * Runs the candidates of all rows to their ends; what does not fit into a forward waits, the earlier rows first. A row shows
 * what it starts from, if another model wrote it, then its best candidate after each iteration; once none of them asks for more it is cut, committed, and takes no part in later forwards.
 *
 * Throws `UNSATISFIABLE_CONSTRAINT` for a row all of whose candidates end with an undecided position in their output.
 */
export async function* refineRows<Ask, Answer>(
  rows: readonly (readonly Candidate<Ask, Answer>[])[],
  answerAll: AnswerAll<Ask, Answer>,
  context: RefineContext,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const { request, began } = context;
  const results: RowResult[] = [];
  const waiting = new Map<Candidate<Ask, Answer>, readonly [row: number, ask: Ask]>();
  const yielder = new Yielder(request.signal);
  const goOn = async (row: number, candidate: Candidate<Ask, Answer>, ...answer: [] | [Answer]): Promise<void> => {
    const { refinement } = candidate;
    let step = refinement.next(...answer);
    for (; !step.done; step = refinement.next()) {
      if (step.value !== undefined) {
        waiting.set(candidate, [row, step.value]);
        break;
      }
      if (yielder.due()) await yielder.yield();
    }
    if (step.done) waiting.delete(candidate);
    if (yielder.due()) await yielder.yield();
  };
  const report = function* (row: number): Generator<DecodeEvent> {
    const candidates = rows[row].map(seen);
    const atMs = performance.now() - began;
    if (isWaiting(row)) {
      const { shown } = best(candidates);
      yield revision(row, shown, shown.tokenIds.slice(), atMs);
      return;
    }
    const cuts = candidates.map(({ shown, score }) => ({
      shown,
      score,
      ...cutOutput(shown.tokenIds, context.endTokenId, rowCuts(request, row), context.given[row]),
    }));
    const decided = cuts.filter(({ tokenIds }) => !tokenIds.includes(context.undecidedTokenId));
    if (decided.length === 0) throw noTokenLeft(row, best(cuts).tokenIds.indexOf(context.undecidedTokenId));
    const { shown, score, finishReason, tokenIds } = best(decided);
    yield revision(row, shown, tokenIds, atMs);
    if (tokenIds.length > 0) yield { type: 'token-commit', row, position: 0, tokenIds: tokenIds.slice(), atMs };
    results[row] = rowResult(row, [
      hypothesis(shown, tokenIds, finishReason, context.given[row] ?? 0, context.scored ? score : NaN),
    ]);
  };
  const isWaiting = (row: number): boolean => rows[row].some((candidate) => waiting.has(candidate));
  const { otherForwards } = context;
  for (const [row, candidates] of rows.entries()) {
    // Nobody else could show what is about to be refined.
    if (otherForwards !== undefined) {
      const { shown: initial } = best(candidates.map(seen));
      yield revision(row, initial, initial.tokenIds.slice(), performance.now() - began);
    }
    for (const candidate of candidates) await goOn(row, candidate);
    if (!isWaiting(row)) yield* report(row);
  }
  let forwards = 0;
  while (waiting.size > 0) {
    request.signal?.throwIfAborted();
    const asked = [...waiting];
    const { answers, forwards: taken } = await answerAll(asked.map(([, ask]) => ask));
    forwards += taken;
    const answered = new Set<number>();
    for (const [index, [candidate, [row]]] of asked.entries()) {
      const answer = answers[index];
      if (answer === undefined) continue;
      await goOn(row, candidate, answer);
      answered.add(row);
    }
    for (const row of answered) {
      yield* report(row);
      if (yielder.due()) await yielder.yield();
    }
  }
  yield decodeEnd(results, began, { forwards, otherForwards });
}

/** What is shown of a row's canvas, of which `tokenIds` are the beginning. */
function revision(row: number, { logProbs, origins }: Shown, tokenIds: Int32Array, atMs: number): CanvasReviseEvent {
  const { length } = tokenIds;
  const shown = { logProbs: logProbs.slice(0, length), origins: origins?.slice(0, length) };
  return { type: 'canvas-revise', row, tokenIds, ...shown, atMs };
}

/** A canvas as it stands, and what it is ranked by. */
interface Seen {
  readonly shown: Shown;
  /** Mean log-probability and bonus. */
  readonly score: number;
}

function seen<Ask, Answer>(candidate: Candidate<Ask, Answer>): Seen {
  const shown = candidate.show();
  return { shown, score: meanLogProb(shown.logProbs) + (candidate.bonus ?? 0) };
}

/** The one of highest score, the earlier among equals (Ghazvininejad et al., 2019, section 3.3); at least one is given. */
function best<One extends Seen>(candidates: readonly One[]): One {
  return candidates.reduce((found, one) => (one.score > found.score ? one : found));
}

function hypothesis(
  { logProbs }: Shown,
  tokenIds: Int32Array,
  finishReason: FinishReason,
  given: number,
  score: number,
): Hypothesis {
  const decided = logProbs.subarray(given, finishReason === 'end-token' ? tokenIds.length + 1 : tokenIds.length);
  const logProb = decided.reduce((sum, value) => sum + value, 0);
  return {
    tokenIds,
    finishReason,
    score: Number.isFinite(score) ? score : undefined,
    // The tokens of a text to be edited have no probability; a sum over the others would mean little.
    logProb: Number.isNaN(logProb) ? undefined : logProb,
  };
}
