import { ctcAdapter } from './ctc/ctc-adapter.js';
import type { GraphAdapter } from './graph-adapter.js';

/** What adapts graphs whose folder says what they are; a new one is a place in this list. */
const ADAPTERS: readonly GraphAdapter[] = [ctcAdapter];

/** The adapter of a folder of graphs; undefined for weights, and for what is opened as it is. Throws `INVALID_MODEL_FOLDER`. */
export async function adapterOf(folder: string, signal?: AbortSignal): Promise<GraphAdapter | undefined> {
  for (const adapter of ADAPTERS) if (await adapter.claims(folder, signal)) return adapter;
  return undefined;
}
