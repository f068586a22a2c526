import {
  type Canvas,
  type CanvasPrediction,
  commonEncoding,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type EditModel,
  type EditSession,
  ForetokenError,
  type Requirements,
} from '@foretoken/core';
import {
  assertDecode,
  assertOutputPrefixes,
  assertOutputTokens,
  brokenPrediction,
  cutOutput,
  forwardParts,
} from '@foretoken/core/kit';
import { type EditedCanvas, edited, outputOf } from './edited-canvas.js';
import { assertLatticeDraft, draftOutputs, type LatticeDraft, pathsToRead } from './lattice-draft.js';
import { BEST } from './proposals.js';
import { type AnswerAll, refineRows } from './rounds.js';

/** A question to an edit model about one canvas. */
export interface EditAsk {
  readonly about: 'deletions' | 'placeholders' | 'fill';
  readonly tokenIds: Int32Array;
}

/** The answer of the kind asked for; see `EditSession`. */
export type EditAnswer = Float32Array | Int32Array | CanvasPrediction;

/** Edits of one row: what it asks, until it returns; one canvas a question, so that a forward holds at least one. */
export type EditRefinement = Generator<EditAsk, void, EditAnswer>;

/** The canvas of one row, as the latest edit left it. */
export interface EditState {
  readonly row: number;
  canvas: EditedCanvas;
}

/** What a strategy may know of the model. */
export type EditTokens = Pick<EditModel<never>, 'placeholderTokenId' | 'maxLength'>;

/** A strategy on edits: texts to start from, or a model that drafts them, and how it edits one. */
export interface EditStrategy<Source> {
  readonly name: string;
  readonly initial?: readonly Int32Array[] | undefined;
  readonly draft?: LatticeDraft<Source> | undefined;
  edit(state: EditState, model: EditTokens): EditRefinement;
}

const REQUIRES: Requirements = { model: 'edit' };

/** The decoder of a strategy on edits. */
export function editDecoder<Source>(strategy: EditStrategy<Source>): Decoder<EditModel<Source>> {
  return {
    name: strategy.name,
    requires: REQUIRES,
    decode: (model, request) => decode(strategy, model, request as DecodeRequest<Source>, performance.now()),
  };
}

async function* decode<Source>(
  strategy: EditStrategy<Source>,
  model: EditModel<Source>,
  from: DecodeRequest<Source>,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const request = assertDecode({ name: strategy.name, requires: REQUIRES }, model, from);
  const { sources, signal, outputPrefixes } = request;
  assertOutputPrefixes(request, model.vocabulary, model.placeholderTokenId, model.maxLength - 2);
  assertInitial(strategy.initial, model, request);
  const { draft } = strategy;
  if (draft !== undefined) assertLatticeDraft(strategy.name, draft, model.vocabulary, request);
  const encoding = await commonEncoding(model, draft?.lattice, sources, signal);
  const open = { ...(encoding === undefined ? {} : { encoding }), ...(signal === undefined ? {} : { signal }) };
  let session: EditSession | undefined;
  try {
    const drafts = draft && (await draftOutputs(draft, request, open));
    for (const { row, tokenIds } of drafts ?? []) assertText('draft', row, tokenIds, model);
    const read = draft && drafts ? pathsToRead(model, draft, drafts) : {};
    session = await model.open(sources, { ...open, ...read });
    const { startTokenId, vocabulary } = model;
    const given = sources.map((_, row) => outputPrefixes?.[row]?.length ?? 0);
    const rows = sources.map((_, row) => {
      const start = strategy.initial?.[row] ?? outputPrefixes?.[row] ?? new Int32Array();
      const canvas = edited(
        drafts?.[row] ?? { tokenIds: start },
        given[row] as number,
        startTokenId,
        vocabulary.endTokenId,
      );
      const state: EditState = { row, canvas };
      // A prefix after which the output is over leaves nothing to decide.
      const over =
        given[row] !== 0 && cutOutput(start, vocabulary.endTokenId, request, start.length).finishReason !== 'complete';
      const refinement = over ? nothing() : strategy.edit(state, model);
      return [{ refinement, show: () => outputOf(state.canvas) }];
    });
    yield* refineRows(rows, answerInTurns(session, request), {
      request,
      endTokenId: vocabulary.endTokenId,
      undecidedTokenId: model.placeholderTokenId,
      given,
      scored: false,
      otherForwards: draft === undefined ? undefined : 1,
      began,
    });
  } finally {
    await session?.[Symbol.asyncDispose]();
    encoding?.dispose();
  }
}

function* nothing(): EditRefinement {}

const PHASES: readonly EditAsk['about'][] = ['deletions', 'placeholders', 'fill'];

/**
 * Answers, in one forward, the questions of one phase, as many as fit: the phases take turns, those that no row asks about left
 * out. Rows that are ahead wait for the others, so that all go through the phases together.
 */
function answerInTurns<Source>(
  session: EditSession,
  { signal }: DecodeRequest<Source>,
): AnswerAll<EditAsk, EditAnswer> {
  let turn = 0;
  return async (asks) => {
    while (!asks.some(([, { about }]) => about === PHASES[turn])) turn = (turn + 1) % PHASES.length;
    const phase = PHASES[turn];
    turn = (turn + 1) % PHASES.length;
    const due = asks
      .filter(([, { about }]) => about === phase)
      .map(([row, { tokenIds }]): Canvas => ({ row, tokenIds }));
    const [canvases] = forwardParts(due, ({ tokenIds }) => tokenIds.length) as [Canvas[]];
    const answers: readonly EditAnswer[] =
      phase === 'deletions'
        ? await session.deletions(canvases, signal)
        : phase === 'placeholders'
          ? await session.placeholders(canvases, signal)
          : await session.fill(canvases, BEST, signal);
    let next = 0;
    const answered = asks.map(([row, { about }]) => {
      if (about !== phase || next === canvases.length) return undefined;
      const answer = answers[next++];
      // Without one the question would be put again and again.
      if (answer === undefined) throw brokenPrediction(row, 'no prediction');
      return answer;
    });
    return { answers: answered, forwards: 1 };
  };
}

function assertInitial<Source>(
  initial: readonly Int32Array[] | undefined,
  model: EditModel<Source>,
  { sources, outputPrefixes }: DecodeRequest<Source>,
): void {
  if (initial === undefined) return;
  if (initial.length !== sources.length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `initial must have one text a source, ${sources.length}, but has ${initial.length}.`,
      { option: 'initial', received: initial.length, required: sources.length },
    );
  }
  if (outputPrefixes?.some(({ length }) => length > 0)) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'outputPrefixes and the option initial both say how an output begins. Leave one of them out.',
      { option: 'initial' },
    );
  }
  for (const [row, text] of initial.entries()) assertText('initial', row, text, model);
}

/** Throws unless a text, the output of a row so far, fits between the boundary tokens: `LENGTH_LIMIT`, `INVALID_ARGUMENT`. */
function assertText(
  option: string,
  row: number,
  text: Int32Array,
  { vocabulary, placeholderTokenId, maxLength }: EditModel<never>,
): void {
  assertOutputTokens(option, row, text, vocabulary, placeholderTokenId, maxLength - 2);
}
