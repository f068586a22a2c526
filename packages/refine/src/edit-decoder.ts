import {
  type Canvas,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type EditModel,
  type EditSession,
  ForetokenError,
  type Requirements,
  type TopKPrediction,
  type Vocabulary,
} from '@foretoken/core';
import {
  assertDecode,
  assertOutputPrefixes,
  assertOutputTokens,
  brokenPrediction,
  commonEncoding,
  cutOutput,
  filledCanvases,
  forwardParts,
  type NamedRequirements,
  opened,
  rowCuts,
} from '@foretoken/core/kit';
import { type EditedCanvas, edited, outputOf } from './edited-canvas.js';
import { assertLatticeSearch, type LatticeSearch, pathsToRead, searchOutputs } from './lattice-search.js';
import { BEST } from './proposals.js';
import { type AnswerAll, refineRows } from './refine-rows.js';

/** A question to an edit model about one canvas. */
export interface EditAsk {
  readonly about: 'deletions' | 'placeholders' | 'fill';
  readonly tokenIds: Int32Array;
}

/** The answer of the kind asked for; see `EditSession`. */
export type EditAnswer = Float32Array | Int32Array | TopKPrediction;

/** Edits of one row: what it asks, until it returns; one canvas a question, so that a forward holds at least one. */
export type EditRefinement = Generator<EditAsk, void, EditAnswer>;

/** The canvas of one row, as the latest edit left it. */
export interface EditState {
  readonly row: number;
  canvas: EditedCanvas;
}

/** What a strategy may know of the model. */
export type EditTokens = Pick<EditModel<never>, 'placeholderTokenId' | 'maxLength'>;

/** A strategy on edits: where the outputs that it starts from are searched, if not in the request, and how it edits one. */
export interface EditStrategy<Source> {
  readonly name: string;
  readonly initial?: LatticeSearch<Source> | undefined;
  edit(state: EditState, model: EditTokens): EditRefinement;
}

const REQUIRES: Requirements = { model: 'edit', outputs: [BEST.kind], candidates: BEST.k };

/** The decoder of a strategy on edits. */
export function editDecoder<Source>(strategy: EditStrategy<Source>): Decoder<EditModel<Source>> {
  const { name, initial } = strategy;
  const checked: NamedRequirements = {
    name,
    requires: REQUIRES,
    accepts: initial === undefined ? ['initialOutputs', 'outputPrefixes'] : [],
  };
  return {
    ...checked,
    decode: (model, request) => decode(strategy, checked, model, request, performance.now()),
  };
}

async function* decode<Source>(
  strategy: EditStrategy<Source>,
  checked: NamedRequirements,
  model: EditModel<Source>,
  from: DecodeRequest<Source>,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const request = assertDecode(checked, model, from);
  const { sources, signal, outputPrefixes, initialOutputs } = request;
  assertOutputPrefixes(request, model.vocabulary, model.placeholderTokenId, model.maxLength - 2);
  assertInitial(model, request);
  const { initial } = strategy;
  if (initial !== undefined) assertLatticeSearch(initial, model.vocabulary);
  const encoding = await commonEncoding(model, initial?.lattice, sources, signal);
  const open = { encoding, signal };
  let session: EditSession | undefined;
  try {
    const found = initial && (await searchOutputs(initial, request, open));
    for (const { row, tokenIds } of found ?? []) assertText('The output found in the lattice', row, tokenIds, model);
    const hints = initial && found && pathsToRead(model, initial, found);
    session = opened('edit', await model.open(sources, { ...open, hints }));
    const { startTokenId, vocabulary } = model;
    const given = sources.map((_, row) => outputPrefixes?.[row]?.length ?? 0);
    const rows = sources.map((_, row) => {
      const start = initialOutputs?.[row] ?? outputPrefixes?.[row] ?? new Int32Array();
      const canvas = edited(found?.[row] ?? { tokenIds: start }, given[row], startTokenId, vocabulary.endTokenId);
      const state: EditState = { row, canvas };
      // A prefix after which the output is over leaves nothing to decide.
      const over =
        given[row] !== 0 &&
        cutOutput(start, vocabulary.endTokenId, rowCuts(request, row), start.length).finishReason !== 'complete';
      const refinement = over ? nothing() : strategy.edit(state, model);
      return [{ refinement, show: () => outputOf(state.canvas) }];
    });
    yield* refineRows(rows, answerInTurns(session, vocabulary, request), {
      request,
      endTokenId: vocabulary.endTokenId,
      undecidedTokenId: model.placeholderTokenId,
      given,
      scored: false,
      otherForwards: initial === undefined ? undefined : 1,
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
  vocabulary: Vocabulary,
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
    const [canvases] = forwardParts(due, ({ tokenIds }) => tokenIds.length);
    const answers: readonly EditAnswer[] =
      phase === 'deletions'
        ? await session.deletions(canvases, signal)
        : phase === 'placeholders'
          ? await session.placeholders(canvases, signal)
          : await filledCanvases(session, canvases, BEST, vocabulary.size, signal);
    let next = 0;
    const answered = asks.map(([row, { about }]) => {
      if (about !== phase || next === canvases.length) return undefined;
      const answer = answers[next++];
      // Without one the question would be put again and again.
      if (!answer) throw brokenPrediction(row, 'no prediction');
      return answer;
    });
    return { answers: answered, forwards: 1 };
  };
}

function assertInitial<Source>(
  model: EditModel<Source>,
  { outputPrefixes, initialOutputs }: DecodeRequest<Source>,
): void {
  if (initialOutputs === undefined) return;
  if (outputPrefixes?.some(({ length }) => length > 0)) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'outputPrefixes and initialOutputs both say how an output begins. Leave one of them out.',
      { option: 'initialOutputs' },
    );
  }
  for (const [row, text] of initialOutputs.entries()) assertText('initialOutputs', row, text, model);
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
