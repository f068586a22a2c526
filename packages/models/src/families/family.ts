import type { AutoregressiveModel, CanvasModel, EditModel, LatticeModel, TokenSource } from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';
import type { GenericSchema } from 'valibot';
import type { CheckGraph } from '../drivers/graph-check.js';
import type { GraphSessions } from '../drivers/graph-sessions.js';
import type { ModelManifest } from '../folder/manifest.js';
import type { ManifestClaims, Refuse } from '../folder/manifest-agreement.js';
import type { ModelFolder } from '../folder/read-folder.js';

/** A family of models: how their folders are described, checked and opened. One folder in here holds one such object. */
export interface ModelFamily<Manifest extends ModelManifest = ModelManifest> {
  /** The value of `family` in the manifest. */
  readonly name: string;
  /** Shape of the whole manifest, strict: a field that it does not name is refused. */
  readonly schema: GenericSchema<unknown, Manifest>;
  /** The files, token ids and candidate counts that a manifest names, so that they are checked like those of all families. */
  claims(manifest: Manifest): ManifestClaims;
  /** Refuses a well-formed manifest whose parts contradict one another in ways of the family's own. */
  checkAgreement?(manifest: Manifest, refuse: Refuse): void;
  /** Checks the graphs' inputs and outputs, before the native runtime sees one. Throws `INVALID_MODEL_FOLDER`. */
  checkGraphs(manifest: Manifest, check: CheckGraph): Promise<void>;
  /** Checks the files beside the graphs. Throws `INVALID_MODEL_FOLDER`. */
  checkSideFiles?(folder: ModelFolder, manifest: Manifest): Promise<void>;
  /** Opens the parts of a folder. What `sessions` opens is released by whoever loads the model. */
  open(context: OpenContext<Manifest>): Promise<OpenedParts>;
  /** What the folder holds, for people and for choosing a strategy; nothing is opened. */
  describe(manifest: Manifest): ModelDescription;
}

/** What a family opens a folder with. */
export interface OpenContext<Manifest extends ModelManifest = ModelManifest> {
  readonly folder: ModelFolder;
  readonly manifest: Manifest;
  readonly sessions: GraphSessions;
  /** Intra-op threads that were asked for, or that the runtime has; otherwise the family measures or takes one. */
  readonly threads: number | undefined;
  /** Threads that the machine can run at once. */
  readonly cores: number;
  /** Whether to measure what this machine does best. */
  readonly probe: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The parts that a folder was opened as; those that it does not have are absent. */
export interface OpenedParts {
  readonly autoregressive?: AutoregressiveModel<TokenSource> | undefined;
  /** A CTC model. */
  readonly lattice?: LatticeModel<TokenSource> | undefined;
  /**
   * The CTC model to draft with: it may be smaller and approximate, its scores may depend on the batch, and they may be over a
   * shortlist alone. Drafts may, outputs may not.
   */
  readonly draftLattice?: LatticeModel<TokenSource> | undefined;
  /**
   * The fastest CTC model, for outputs that may be a little worse and depend on the batch. It takes no encoding and shares none.
   */
  readonly fastLattice?: LatticeModel<TokenSource> | undefined;
  readonly canvas?: CanvasModel<TokenSource> | undefined;
  /** A model of DAG lattices. */
  readonly dag?: LatticeModel<TokenSource> | undefined;
  readonly edit?: EditModel<TokenSource> | undefined;
  /** A model of the target's outputs; what searches and `latticeDrafter` take as `languageModel.model`. */
  readonly languageModel?: LanguageModel | undefined;
}

/** The parts of a folder by their field names. */
export type PartName = keyof OpenedParts;

/** What a folder holds. */
export interface ModelDescription {
  /** Names of its parts. */
  readonly parts: readonly PartName[];
  /** Whether its models read a source; those that do not continue or fill a text. */
  readonly readsSource: boolean;
  /** Output kinds of the model that decides, such as `argmax`. */
  readonly outputs: readonly string[];
  /** What those outputs are of: `step` or `fill`. */
  readonly outputsOf: string;
  /** In a few words: layers, width, heads. */
  readonly architecture: string;
  /** Further facts, each with its name. */
  readonly facts: readonly (readonly [name: string, fact: string])[];
}
