import { type CanvasModel, ForetokenError, type LatticeModel, type TokenSource } from '@foretoken/core';
import {
  assertLattice,
  checkOptions,
  emitted,
  flag,
  listOf,
  modelKind,
  type OptionTable,
  signal as readSignal,
  sources as readSources,
  tokens,
  wrongValue,
} from '@foretoken/core/kit';
import { canvasDisagreement } from './canvas-disagreement.js';
import { type Disagreement, disagreementOf } from './disagreement.js';
import { latticeDisagreement } from './lattice-disagreement.js';
import {
  type LengthStatistics,
  lengthStatistics,
  type RepetitionStatistics,
  repetitionStatistics,
} from './output-statistics.js';

/** What `diagnose` looks at. */
export interface DiagnoseOptions<Source = TokenSource> {
  /** Outputs of any strategy, token ids `[length]`, end tokens left out; at least one. */
  readonly outputs: readonly Int32Array[];
  /** One for each output: for the length error. */
  readonly references?: readonly Int32Array[] | undefined;
  /** With `sources`: for the disagreement of neighbours, of the outputs or of the lattices that the model emits. */
  readonly model?: CanvasModel<Source> | LatticeModel<Source> | undefined;
  /** One for each output. */
  readonly sources?: readonly Source[] | undefined;
  /** The canvas model's canvases end with the end token (default false). */
  readonly withEndToken?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is wrong with a set of outputs. */
export interface Diagnosis {
  /** Outputs that were looked at. */
  readonly sentences: number;
  /** Their tokens. */
  readonly tokens: number;
  /** How much they repeat themselves. */
  readonly repetition: RepetitionStatistics;
  /** Where references were given. */
  readonly length?: LengthStatistics | undefined;
  /** Where a model was given; see `canvasDisagreement` and `latticeDisagreement` for what is counted. */
  readonly disagreement?: Disagreement | undefined;
}

const NAME = 'diagnose';

const OPTIONS: OptionTable<DiagnoseOptions<never>> = {
  outputs: listOf(tokens()),
  references: listOf(tokens()),
  model: (name, value) => {
    const kind = modelKind(value);
    if (kind === 'canvas' || kind === 'lattice') return value as CanvasModel<never> | LatticeModel<never>;
    throw wrongValue(name, value, 'a canvas model or a lattice model');
  },
  sources: readSources,
  withEndToken: flag,
  signal: readSignal,
};

/** Sources whose lattices are held at a time, and candidates of each frame or vertex: enough for a distribution's head. */
const SOURCES = 32;
const CANDIDATES = 8;

/**
 * Measures the known faults of non-autoregressive outputs: repetition, wrong length, and neighbours that disagree.
 *
 * Throws `INVALID_ARGUMENT` (nothing to diagnose, numbers that differ, a model without sources or the reverse),
 * `UNSUPPORTED_CAPABILITY`, `LENGTH_LIMIT`, `RUNTIME_FAILURE`, the signal's reason, and whatever the model throws.
 */
export async function diagnose<Source = TokenSource>(options: DiagnoseOptions<Source>): Promise<Diagnosis> {
  options = checkOptions<DiagnoseOptions<Source>>(NAME, options, OPTIONS, ['outputs']);
  const { outputs, references, model, sources, withEndToken, signal } = options;
  signal?.throwIfAborted();
  assertOptions(options);
  const length = references === undefined ? undefined : lengthStatistics(outputs, references);
  const disagreement =
    model === undefined || sources === undefined
      ? undefined
      : 'emit' in model
        ? await disagreementOfLattices(model, sources, signal)
        : await canvasDisagreement(model, sources, outputs, { withEndToken: withEndToken ?? false, signal });
  return {
    sentences: outputs.length,
    tokens: outputs.reduce((sum, output) => sum + output.length, 0),
    repetition: repetitionStatistics(outputs),
    length,
    disagreement,
  };
}

async function disagreementOfLattices<Source>(
  model: LatticeModel<Source>,
  sources: readonly Source[],
  signal: AbortSignal | undefined,
): Promise<Disagreement> {
  assertLattice({ name: NAME, requires: { model: 'lattice', kinds: ['ctc', 'dag'], candidates: 1 } }, model);
  const k = Math.min(CANDIDATES, model.supports.maxCandidates);
  let positions = 0;
  let changed = 0;
  for (let start = 0; start < sources.length; start += SOURCES) {
    signal?.throwIfAborted();
    const some = sources.slice(start, start + SOURCES);
    const lattices = emitted(model.supports.kind, await model.emit(some, { k, signal }), some.length);
    const part = latticeDisagreement(lattices, model.vocabulary.size, start);
    positions += part.positions;
    changed += part.changed;
  }
  return disagreementOf(positions, changed);
}

function assertOptions<Source>({ outputs, model, sources, withEndToken }: DiagnoseOptions<Source>): void {
  if (outputs.length === 0) throw invalid('outputs', 'outputs must hold at least one output.', outputs.length);
  if ((model === undefined) !== (sources === undefined)) {
    const [given, missing] = model === undefined ? ['sources', 'model'] : ['model', 'sources'];
    throw invalid(missing, `${given} was given without ${missing}; both are required for the disagreement.`);
  }
  if (sources !== undefined && sources.length !== outputs.length) {
    throw invalid(
      'sources',
      `There are ${sources.length} sources for ${outputs.length} outputs; one each is required.`,
      sources.length,
    );
  }
  if (withEndToken !== undefined && (model === undefined || 'emit' in model)) {
    throw invalid('withEndToken', 'withEndToken has no effect without a canvas model. Leave it out.', withEndToken);
  }
}

function invalid(option: string, message: string, received?: unknown): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', message, { option, received });
}
