import type { TokenSource } from '@foretoken/core';
import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import type { ManifestContent } from '../../folder/manifest.js';
import { encodeRows } from './encoded-rows.js';
import type { RecurrentManifest } from './recurrent-manifest.js';
import { RecurrentModel } from './recurrent-model.js';

/** A recurrent model on graphs that whoever calls has opened; for importers, which try what they found. */
export function openRecurrentModel(
  manifest: RecurrentManifest,
  runtime: OnnxRuntime,
  session: (file: string) => Promise<GraphSession>,
): RecurrentModel {
  return new RecurrentModel(manifest, runtime, session);
}

/** The states that the encoder gives each source, one after the other. */
export async function encodedStates(
  { encoder, step }: ManifestContent<RecurrentManifest>,
  runtime: OnnxRuntime,
  session: GraphSession,
  sources: readonly TokenSource[],
): Promise<readonly Float32Array[]> {
  if (encoder === undefined) return [];
  const states = step.inputs.filter(({ role, from }) => role === 'state' && from !== undefined);
  const axes = new Map(states.map(({ from = '', batchAxis = 0 }) => [from, batchAxis]));
  const rows = await encodeRows(encoder, axes, sources, runtime, session, undefined);
  // Of those whose size depends on the source's length, only as much as all have can be compared.
  const fixed = states.filter(({ tensor, batchAxis = 0 }) =>
    tensor.dims.every((size, at) => size !== null || at === batchAxis),
  );
  return rows.map(({ outputs }) =>
    Float32Array.from(fixed.flatMap(({ from = '' }) => [...(outputs.get(from)?.values ?? [])].map(Number))),
  );
}
