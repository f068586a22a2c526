import { ForetokenError, type TokenSource } from '@foretoken/core';
import { checkGraphs } from './check-graphs.js';
import type { OpenContext } from './families/family.js';
import { familyOf } from './families/registry.js';
import { openFolder } from './folder/read-folder.js';
import type { ModelIo } from './io/model-io.js';
import type { OpenedPart } from './parts/model-part.js';
import type { Platform } from './platform.js';
import type { GraphImprover, OpenRebuilt, Rebuilt } from './rebuild.js';

/** What a family is offered that can do with graphs built anew, and what came of it, for people. */
export interface RebuiltParts {
  readonly rebuilt?: OpenRebuilt | undefined;
  /** Filled when the family has asked. */
  readonly facts: readonly (readonly [name: string, fact: string])[];
}

const FACT = 'improved graphs';

/** How a family opens graphs that are built anew of the weights in its own. */
export function rebuiltParts(
  { rebuild }: Platform,
  context: OpenContext,
  improveGraph: boolean | GraphImprover = true,
): RebuiltParts {
  if (rebuild === undefined || improveGraph === false) return { facts: [] };
  const facts: (readonly [string, string])[] = [];
  const { folder, sessions, signal } = context;
  const open = async (io: ModelIo, probe: boolean) => {
    const other = await openFolder(io, { keep: true, signal });
    await checkGraphs(other, signal);
    const graphs = sessions.beside(other);
    const family = await familyOf(other.manifest);
    const parts: readonly OpenedPart<TokenSource>[] = await family.open({
      ...context,
      folder: other,
      manifest: other.manifest,
      sessions: graphs,
      probe,
    });
    return { parts, graphs };
  };
  const improver = improveGraph === true ? undefined : improveGraph;
  const build = async (prove: Parameters<OpenRebuilt>[0], anew: boolean): Promise<Rebuilt> => {
    const found = await rebuild(folder, {
      anew,
      improver,
      signal,
      prove: async (io) => {
        const { parts, graphs } = await open(io, false);
        try {
          await prove(parts);
        } finally {
          await graphs.dispose();
        }
      },
    });
    signal?.throwIfAborted();
    return found;
  };
  const use = async (found: Rebuilt) => {
    if ('reason' in found) {
      facts.push([FACT, `none: ${found.reason}`]);
      return undefined;
    }
    const { parts, graphs } = await open(found.io, context.probe);
    facts.push([FACT, `built of its weights and proved to give the same, in ${found.io.folder}`]);
    sessions.threads = graphs.threads;
    return parts;
  };
  const rebuilt: OpenRebuilt = async (prove) => {
    const found = await build(prove, false);
    try {
      return await use(found);
    } catch (error) {
      signal?.throwIfAborted();
      if (!ForetokenError.isInstance(error)) throw error;
      // What was kept is damaged, of another release, or more than this runtime can open: the exported graphs remain at any rate.
      return use(await build(prove, true));
    }
  };
  return { rebuilt, facts };
}
