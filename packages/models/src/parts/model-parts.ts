import { ForetokenError, type LatticeModel, type TokenSource } from '@foretoken/core';
import {
  anything,
  callback,
  checkOptions,
  fields,
  firstTwice,
  hasMethods,
  isOfKind,
  listOf,
  type OptionReader,
  type OptionTable,
  oneOf,
  signal as readSignal,
  show,
  text,
  wrongValue,
} from '@foretoken/core/kit';
import type { WeightedLanguageModel } from '@foretoken/language-models';
import {
  EXACT,
  type OpenedPart,
  type OpenedPartOf,
  PART_KINDS,
  type PartKind,
  type PartModels,
  type PartName,
  type PartOptions,
  partLabel,
} from './model-part.js';

const OPTIONS: OptionTable<PartOptions> = { variant: text, lattice: oneOf('ctc', 'dag') };
const readKind: OptionReader<PartKind> = oneOf(...PART_KINDS);
const PART: OptionTable<OpenedPartOf<PartKind>> = {
  kind: readKind,
  variant: text,
  model: anything,
  open: callback(anything<Promise<unknown>>),
};
const readParts: OptionReader<readonly object[]> = listOf(fields(PART, ['kind', 'model']));

type PartsByKind<Source> = { readonly [Kind in PartKind]: OpenedPartOf<Kind, Source>[] };

/** Options of what takes none: an empty object, or none. */
export type NoOptions = Readonly<Record<never, never>>;

/** A lattice to draft from, and a language model that re-ranks its drafts, where there is one. */
export interface SpeculationParts<Source = TokenSource> {
  /** The lattice model that drafts. */
  readonly model: LatticeModel<Source>;
  /** The model of outputs, where the folder has one. */
  readonly languageModel?: WeightedLanguageModel | undefined;
}

/** The parts of a model, found by kind and variant. */
export class ModelParts<Source = TokenSource> {
  /** Where the parts are from, for messages. */
  readonly folder: string;
  /** Names of all parts, in the folder's order. */
  readonly names: readonly PartName[];
  readonly #byKind: PartsByKind<Source> = { autoregressive: [], lattice: [], canvas: [], edit: [], languageModel: [] };

  /** Throws `INVALID_ARGUMENT` for an unknown kind, a model that is not of the part's kind, and two parts of one name. */
  constructor(parts: readonly OpenedPart<Source>[], folder = 'this model') {
    this.folder = text('folder', folder);
    const checked = readParts('parts', parts) as readonly OpenedPart<Source>[];
    this.names = checked.map((part, index) => this.#add(part, `parts[${index}].model`));
    const labels = this.#labels();
    const twice = firstTwice(labels);
    if (twice === undefined) return;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `There are two parts of the name ${twice}; give one another variant.`,
      {
        option: 'parts',
        received: labels,
      },
    );
  }

  /** Whether a value is what this class makes; it never throws. */
  static isInstance(value: unknown): value is ModelParts {
    return typeof value === 'object' && value !== null && #byKind in value;
  }

  /**
   * The part of a kind and variant. Throws `UNSUPPORTED_CAPABILITY` where there is none, saying what there is, and
   * `INVALID_ARGUMENT` for a kind that does not exist.
   */
  part<Kind extends PartKind>(kind: Kind, options: PartOptions = {}): PartModels<Source>[Kind] {
    const found = this.find(kind, options);
    if (found !== undefined) return found;
    throw this.#lacks({ kind, ...options });
  }

  /** As `part`, but `undefined` where there is none. Throws `INVALID_ARGUMENT` for a kind that does not exist. */
  find<Kind extends PartKind>(kind: Kind, options: PartOptions = {}): PartModels<Source>[Kind] | undefined {
    return this.#select(kind, options)[0]?.model;
  }

  /** A CTC lattice to draft from, drafting variant first. Throws `UNSUPPORTED_CAPABILITY`, saying what is missing. */
  speculation(options: NoOptions = {}): SpeculationParts<Source> {
    checkOptions('speculation', options, {});
    const model =
      this.find('lattice', { lattice: 'ctc', variant: 'draft' }) ?? this.find('lattice', { lattice: 'ctc' });
    const missing = [
      ...(this.find('autoregressive') === undefined ? ['an autoregressive model to verify with'] : []),
      ...(model === undefined ? ['a CTC lattice model to draft with'] : []),
    ];
    if (model === undefined || missing.length > 0) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        `Speculation from a lattice needs ${missing.join(' and ')}, which ${this.folder} does not have. ` +
          'Other drafters, such as ngramDrafter, need no second model.',
        { folder: this.folder, capability: 'speculation', missing, offered: this.#labels() },
      );
    }
    const languageModel = this.find('languageModel');
    return { model, languageModel: languageModel && { model: languageModel } };
  }

  /**
   * Opens the graphs of all parts of a kind, one after the other. Throws `UNSUPPORTED_CAPABILITY` where there is none, as opening
   * does, or the signal's reason.
   */
  async open(kind: PartKind, signal?: AbortSignal): Promise<void> {
    if (this.#byKind[readKind('kind', kind)].length === 0) throw this.#lacks({ kind });
    if (signal !== undefined) readSignal('signal', signal);
    for (const { open } of this.#byKind[kind]) {
      signal?.throwIfAborted();
      await open?.();
    }
  }

  #select<Kind extends PartKind>(kind: Kind, options: PartOptions): readonly OpenedPartOf<Kind, Source>[] {
    const { variant = EXACT, lattice } = checkOptions(`part(${show(kind)})`, options, OPTIONS);
    readKind('kind', kind);
    if (lattice !== undefined && kind !== 'lattice') {
      throw new ForetokenError('INVALID_ARGUMENT', `lattice goes with parts of the kind lattice, not with ${kind}.`, {
        option: 'lattice',
        received: lattice,
      });
    }
    return this.#byKind[kind].filter((part) => {
      const { lattice: emitted, variant: own } = nameOf(part);
      return own === variant && (lattice === undefined || emitted === lattice);
    });
  }

  #add<Kind extends PartKind>(part: OpenedPartOf<Kind, Source>, name: string): PartName {
    const { kind, model } = part;
    const right = kind === 'languageModel' ? hasMethods(model, 'start', 'score', 'next', 'end') : isOfKind(kind, model);
    if (!right) throw wrongValue(name, model, partLabel({ kind }));
    this.#byKind[kind].push(part);
    return nameOf(part);
  }

  #lacks(wanted: Pick<PartName, 'kind'> & PartOptions): ForetokenError {
    const capability = partLabel(wanted);
    const offered = this.#labels();
    return new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${this.folder} has no ${capability}. It has: ${offered.join(', ') || 'nothing'}.`,
      { folder: this.folder, capability, offered },
    );
  }

  #labels(): string[] {
    return this.names.map(partLabel);
  }
}

function nameOf<Source>({ kind, variant = EXACT, model }: OpenedPartOf<PartKind, Source>): PartName {
  return kind === 'lattice' && 'emit' in model ? { kind, variant, lattice: model.supports.kind } : { kind, variant };
}
