import { ForetokenError } from '@foretoken/core';
import { NodeBatch, Yielder } from '@foretoken/core/kit';
import { GraphSession, type OnnxRuntime, RuntimeTimings } from '@foretoken/core/runtime';
import {
  type EncoderInput,
  encodedStates,
  type ManifestContent,
  openRecurrentModel,
  type RecurrentManifest,
  unsupportedModel,
} from '@foretoken/models/internal';
import type { ExportedGraph } from '../read-export.js';
import { bestClasses, findScoreValues, TOLERANCE } from '../score-values.js';
import type { RecurrentStepOptions } from './step-options.js';
import type { readEncoderInputs } from './step-signature.js';

type Values = RecurrentManifest['step']['values'];
type Make = (role: EncoderInput['role'], values: Values) => ManifestContent<RecurrentManifest>;

async function sessionOf({ file, bytes, externalData }: ExportedGraph, runtime: OnnxRuntime): Promise<GraphSession> {
  return GraphSession.create(runtime, { path: file, graph: bytes, externalData }, { threads: 1 }, new RuntimeTimings());
}

/** Some ids of a source, none of them padding or of a special meaning where there are enough. */
function someSource(manifest: ManifestContent<RecurrentManifest>, length: number): Int32Array {
  const size = manifest.encoder?.vocabularySize ?? manifest.vocabulary.size;
  return Int32Array.from({ length }, (_, at) => Math.min(size - 1, 4 + ((at * 7) % Math.max(1, size - 4))));
}

/**
 * What 1 says in the mask of an encoder: reading a source beside a longer one must say the same as reading it alone. Throws
 * `INVALID_ARGUMENT` where both or neither do, `UNSUPPORTED_MODEL` where it gives no finite states.
 */
export async function chooseMask(
  make: Make,
  encoder: ExportedGraph,
  given: ReturnType<typeof readEncoderInputs>,
  told: RecurrentStepOptions,
  runtime: OnnxRuntime,
): Promise<EncoderInput['role']> {
  if (told.mask !== undefined) return told.mask === 'source' ? 'mask' : 'padding';
  if (given.every(({ role }) => role !== undefined)) return 'mask';
  const session = await sessionOf(encoder, runtime);
  let finite = false;
  try {
    const right: EncoderInput['role'][] = [];
    for (const role of ['mask', 'padding'] as const) {
      told.signal?.throwIfAborted();
      const manifest = make(role, 'logits');
      const [short, long] = [someSource(manifest, 3), someSource(manifest, 7)];
      const states = await encodedStates(manifest, runtime, session, [short, long]);
      const [alone] = await encodedStates(manifest, runtime, session, [short]);
      finite ||= alone.every(Number.isFinite);
      const same = alone.every((value, at) => Math.abs(value - states[0][at]) <= TOLERANCE);
      if (same && alone.some((value) => value !== 0)) right.push(role);
    }
    if (right.length === 1) return right[0];
  } finally {
    await session.dispose();
  }
  if (!finite) {
    const { folder, file } = encoder;
    throw unsupportedModel(
      `${file} in ${folder} gives states that hold NaN or infinite numbers. Train or export the model again.`,
      { folder, file, field: 'states', required: 'finite numbers' },
    );
  }
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `Running ${encoder.file} does not show what 1 says in its mask. Tell it as mask: "source" or mask: "padding".`,
    { option: 'mask', file: encoder.file },
  );
}

/** What the scores of a step are. Throws `UNSUPPORTED_MODEL` where it gives none, `INVALID_ARGUMENT` where others were told. */
export async function probeValues(
  manifest: ManifestContent<RecurrentManifest>,
  step: ExportedGraph,
  encoder: ExportedGraph | undefined,
  { values: told, signal }: RecurrentStepOptions,
  runtime: OnnxRuntime,
): Promise<Values> {
  const sessions: GraphSession[] = [];
  try {
    sessions.push(await sessionOf(step, runtime));
    if (encoder !== undefined) sessions.push(await sessionOf(encoder, runtime));
    const indexOf = (file: string): number => (file === manifest.graphs.step ? 0 : 1);
    const model = openRecurrentModel({ ...manifest, files: {} }, runtime, async (file) => sessions[indexOf(file)]);
    const source =
      encoder === undefined ? new Int32Array() : someSource(manifest, Math.min(5, manifest.limits.sourceLength));
    await using forest = await model.open([source], { signal });
    const nodes = new NodeBatch();
    nodes.addChain(0, forest.start(0).node, [...forest.start(0).prefix], 'last');
    const { logits } = await forest.extend(nodes, { kind: 'logits' });
    const { size } = manifest.vocabulary;
    const tried = { data: logits, size, of: 'the first token' };
    const yielder = new Yielder(signal);
    await yielder.run(bestClasses(tried, step));
    return await yielder.run(findScoreValues([tried], told, step.file));
  } finally {
    for (const session of sessions) await session.dispose();
  }
}
