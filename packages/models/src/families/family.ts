import type { TokenSource } from '@foretoken/core';
import type { GenericSchema } from 'valibot';
import type { CheckGraph } from '../drivers/graph-check.js';
import type { GraphSessions } from '../drivers/graph-sessions.js';
import type { ModelManifest } from '../folder/manifest.js';
import type { ManifestClaims, Refuse } from '../folder/manifest-agreement.js';
import type { ModelFolder } from '../folder/model-folder.js';
import type { OpenedPart, PartName } from '../parts/model-part.js';
import type { Processor, TextOutput } from '../processors/processor.js';
import type { OpenRebuilt } from '../rebuild.js';
import type { TextTokenizer } from '../tokenizer/text-tokenizer.js';

/**
 * A family of models: how their folders are described, checked and opened, and what they read. One folder in here holds one such
 * object.
 */
export interface ModelFamily<
  Manifest extends ModelManifest = ModelManifest,
  Input = string,
  Output extends object = TextOutput,
  Source = TokenSource,
> {
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
  /** The parts of a folder. What `sessions` opens, now or when a part is first used, is released by whoever loads the model. */
  open(context: OpenContext<Manifest>): Promise<readonly OpenedPart<Source>[]>;
  /** Whether `open` tries graphs that are built anew of the weights in the folder's own. */
  rebuilds?(manifest: Manifest): boolean;
  /** What turns inputs into sources and outputs back, by a tokenizer or not. */
  processor(
    context: ProcessorContext<Manifest>,
  ): Processor<Input, Output, Source> | Promise<Processor<Input, Output, Source>>;
  /**
   * What to do where a folder has no tokenizer that is read, as whole sentences; default: to import the weights again, with the tokenizer
   * of the original model beside them.
   */
  withoutTokenizer?(manifest: Manifest): string;
  /** What the folder holds, for people and for choosing a strategy; nothing is opened. */
  describe(manifest: Manifest): ModelDescription;
}

/** What a family opens a folder with. */
export interface OpenContext<Manifest extends ModelManifest = ModelManifest> {
  /** The verified folder. */
  readonly folder: ModelFolder;
  /** Its manifest, checked by the family's schema. */
  readonly manifest: Manifest;
  /** Opens graphs, each once, on first use. */
  readonly sessions: GraphSessions;
  /** Intra-op threads that were asked for, or that the runtime has; otherwise the family measures or takes one. */
  readonly threads: number | undefined;
  /** Threads that the machine can run at once. */
  readonly cores: number;
  /** Whether to measure what this machine does best. */
  readonly probe: boolean;
  /** Gives the parts by graphs that were built anew, where the platform can and the options allow it. */
  readonly rebuilt?: OpenRebuilt | undefined;
  /** Stops the opening. */
  readonly signal: AbortSignal | undefined;
}

/** What a family makes a processor of. */
export interface ProcessorContext<Manifest extends ModelManifest = ModelManifest> {
  /** The folder's manifest, checked by the family's schema. */
  readonly manifest: Manifest;
  /** Reading it throws `UNSUPPORTED_CAPABILITY` where the folder has none. */
  readonly tokenizer: TextTokenizer;
  /** A listed file of the folder, verified; while the model is loaded. Throws `INVALID_MODEL_FOLDER`. */
  readText(file: string): Promise<string>;
}

/** What a folder holds. */
export interface ModelDescription {
  /** Names of its parts. */
  readonly parts: readonly PartName[];
  /** Output kinds of the model that decides, such as `argmax`. */
  readonly outputs: readonly string[];
  /** What those outputs are of: `step` or `fill`. */
  readonly outputsOf: string;
  /** In a few words: layers, width, heads. */
  readonly architecture: string;
  /** Whether sources are no tokens of outputs, but others or sound, so that none of a source can be copied. */
  readonly ownSourceTokens?: boolean | undefined;
  /** Further facts, each with its name. */
  readonly facts: readonly (readonly [name: string, fact: string])[];
}
