import type { TokenSource } from '@foretoken/core';
import type { ModelFolder } from './folder/model-folder.js';
import type { ModelIo } from './io/model-io.js';
import type { OpenedPart } from './parts/model-part.js';

/**
 * Builds the graphs of a folder of an exporter anew, as a model folder at `target`. `prove` throws where what lies at a path does not
 * give what the export gives; then nothing may be left at the target. `rebuildExport` of `@foretoken/importers` is one.
 */
export type GraphImprover = (
  folder: ModelFolder,
  target: string,
  options: { readonly prove: (path: string) => Promise<void>; readonly signal?: AbortSignal | undefined },
) => Promise<void>;

/** Graphs built anew and where they are, or why there are none. */
export type Rebuilt = { readonly io: ModelIo } | { readonly reason: string };

/** The graphs of a folder built anew, now or by an earlier load. Throws the signal's reason. */
export type RebuildFolder = (
  folder: ModelFolder,
  options: {
    /** Build them even where they are kept already. */
    readonly anew: boolean;
    readonly improver: GraphImprover | undefined;
    readonly prove: (io: ModelIo) => Promise<void>;
    readonly signal: AbortSignal | undefined;
  },
) => Promise<Rebuilt>;

/**
 * The parts of the same model by graphs that were built anew; `undefined` where there are none. `prove` gets such parts before they are
 * first used, and throws a `ForetokenError` where they do not give the same.
 */
export type OpenRebuilt = (
  prove: (parts: readonly OpenedPart<TokenSource>[]) => Promise<void>,
) => Promise<readonly OpenedPart<TokenSource>[] | undefined>;
