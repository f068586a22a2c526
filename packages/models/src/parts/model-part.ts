import type { AutoregressiveModel, CanvasModel, EditModel, Lattice, LatticeModel, TokenSource } from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';

/** What each kind of part is. */
export interface PartModels<Source = TokenSource> {
  /** Scores the next token. */
  readonly autoregressive: AutoregressiveModel<Source>;
  /** Scores all outputs of a source at once. */
  readonly lattice: LatticeModel<Source>;
  /** Fills positions of known length. */
  readonly canvas: CanvasModel<Source>;
  /** Changes an output by deletions and insertions. */
  readonly edit: EditModel<Source>;
  /** A model of the outputs; what searches and `latticeDrafter` take as `languageModel.model`. */
  readonly languageModel: LanguageModel;
}

/** Kinds of parts: `autoregressive`, `lattice`, `canvas`, `edit` and `languageModel`. */
export type PartKind = keyof PartModels;

export const PART_KINDS: readonly PartKind[] = ['autoregressive', 'lattice', 'canvas', 'edit', 'languageModel'];

/**
 * How a part differs from others of its kind. `exact`: its outputs are the model's own, whatever the batch. `fast`: its outputs may be
 * a little worse, and may depend on the batch. `draft`: it only ever drafts, so its scores may be approximate. A family may have others.
 */
export type PartVariant = 'exact' | 'fast' | 'draft' | (string & {});

export const EXACT = 'exact';

/** Which part of its kind is meant. */
export interface PartOptions {
  /** Default: `exact`. */
  readonly variant?: PartVariant | undefined;
  /** Of the kind `lattice`: which lattice it emits; default: the first of the variant that the folder lists. */
  readonly lattice?: Lattice['kind'] | undefined;
}

/** The name of a part. */
export interface PartName {
  /** What the part is. */
  readonly kind: PartKind;
  /** Which of its kind. */
  readonly variant: PartVariant;
  /** Of the kind `lattice`. */
  readonly lattice?: Lattice['kind'] | undefined;
}

/** A part of one kind, as a family opens it. */
export interface OpenedPartOf<Kind extends PartKind, Source = TokenSource> {
  /** What the part is. */
  readonly kind: Kind;
  /** Default: `exact`. */
  readonly variant?: PartVariant | undefined;
  /** The part itself; its graphs may be opened on first use. */
  readonly model: PartModels<Source>[Kind];
  /** Opens now what the part would open when it is first used. Throws what using it would throw. */
  readonly open?: (() => Promise<unknown>) | undefined;
}

/** A part of any kind, as a family opens it. */
export type OpenedPart<Source = TokenSource> = { [Kind in PartKind]: OpenedPartOf<Kind, Source> }[PartKind];

/** How messages call a part, such as `ctc lattice (fast)`. */
export function partLabel({ kind, lattice, variant = EXACT }: Pick<PartName, 'kind'> & PartOptions): string {
  const names: Readonly<Record<PartKind, string>> = {
    autoregressive: 'autoregressive model',
    lattice: lattice === undefined ? 'lattice model' : `${lattice.toUpperCase()} lattice model`,
    canvas: 'canvas model',
    edit: 'edit model',
    languageModel: 'language model',
  };
  return variant === EXACT ? names[kind] : `${names[kind]} (${variant})`;
}
