import { CANVAS_INPUTS, checkFills } from '../../drivers/fill-graphs.js';
import { type CheckGraph, frameInputs, ids, value } from '../../drivers/graph-check.js';
import type { ExpectedValues } from '../../onnx/graph-description.js';
import type { MarianManifest } from './marian-manifest.js';

/** Checks the canvas, DAG and edit students of a Marian folder. Throws `INVALID_MODEL_FOLDER`. */
export async function checkStudentGraphs(manifest: MarianManifest, check: CheckGraph): Promise<void> {
  const { graphs, canvas, edit, architecture, vocabulary } = manifest;
  const { width } = architecture;
  if (graphs.canvas !== undefined && canvas !== undefined) {
    const facts = { layers: canvas.layers, readsHints: graphs.canvas.openHints !== undefined };
    await checkOpens(check, graphs.canvas, width, facts, canvas.lengths?.classes);
    await checkFills(check, graphs.canvas.fill, readingInputs(width, facts), vocabulary.size);
  }
  if (graphs.dag !== undefined) {
    const floats = value('float32', null, null, null);
    await check(
      graphs.dag,
      { ...frameInputs(width), k: value('int64', 1) },
      { best_token_ids: value('int32', null, null, null), best_log_probs: floats, transitions: floats },
    );
  }
  if (graphs.edit !== undefined && edit !== undefined) {
    const facts = { layers: edit.layers, readsHints: graphs.edit.openHints !== undefined };
    const inputs = readingInputs(width, facts);
    await checkOpens(check, graphs.edit, width, facts);
    await check(graphs.edit.deletions, inputs, { deletions: value('float32', null, null) });
    await check(graphs.edit.placeholders, inputs, { placeholders: value('int32', null, null, 1) });
    await checkFills(check, graphs.edit.fill, inputs, vocabulary.size);
  }
}

/** What the manifest says of a student's graphs. */
interface ReadingFacts {
  readonly layers: number;
  readonly readsHints: boolean;
}

/** Inputs of a graph over canvases whose layers read a source. */
function readingInputs(width: number, { layers, readsHints }: ReadingFacts): ExpectedValues {
  const cross = Array.from({ length: 2 * layers }, (_, index) => [
    `cross_${index}`,
    value('float32', null, null, width),
  ]);
  const inputs = {
    ...CANVAS_INPUTS,
    cross_bias: value('float32', null, 1, null, null),
    ...Object.fromEntries(cross),
  };
  if (readsHints) inputs.hints = value('float32', null, null, width);
  return inputs;
}

async function checkOpens(
  check: CheckGraph,
  { open, openHints }: { readonly open: string; readonly openHints?: string | undefined },
  width: number,
  { layers, readsHints }: ReadingFacts,
  lengthClasses?: number,
): Promise<void> {
  const states = value('float32', null, null, width);
  const cross = value('float32', 2 * layers, null, null, width);
  const frames = readsHints ? frameInputs(width) : { states };
  const inputs = { source_mask: lengthClasses ? ids : undefined, ...frames };
  const outputs = {
    cross,
    length_logits: lengthClasses ? value('float32', null, lengthClasses) : undefined,
    hints: readsHints ? states : undefined,
    hints_length: readsHints ? value('float32', null, 1) : undefined,
  };
  await check(open, inputs, outputs);
  if (openHints !== undefined) await check(openHints, { ...inputs, hints_token_ids: ids }, outputs);
}
