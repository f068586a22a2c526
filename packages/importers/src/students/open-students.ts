import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import { SHORTLIST_FILE, type Shortlist } from '@foretoken/models/internal';
import type { TokenEmbedding } from '../blocks/embedding.js';
import { tensorReader } from '../tensors/tensor-reader.js';
import type { CanvasConfig, EditConfig } from './canvas-config.js';
import type { CanvasNetwork } from './canvas-graph.js';
import type { CtcShape, CtcStudent } from './ctc-graph.js';
import type { DagStudent } from './dag-graph.js';
import { openFastStudent } from './fast-student.js';
import { readHeadTokenIds } from './head-tokens.js';
import type { ReadStudent, StudentConfigs } from './student-configs.js';

/** The students of one encoder: sizes, what is small of their weights, and stores of the others. */
export interface Students {
  readonly ctc: CtcStudent | undefined;
  /** The student of the fast graph, which may be `ctc`. */
  readonly fast: CtcStudent | undefined;
  readonly canvas: (CanvasConfig & { readonly network: CanvasNetwork }) | undefined;
  readonly dag: DagStudent | undefined;
  readonly edit: (EditConfig & { readonly network: CanvasNetwork }) | undefined;
}

/** What students are opened with. */
export interface OpenContext {
  readonly vocabularySize: number;
  /** The encoder's embedding, which canvases are embedded with. */
  readonly embedding: TokenEmbedding;
  /** Token id that stands for the CTC blank in emitted lattices. */
  readonly blankId: number;
  /** Tokens that the drafting graph is to be fed a choice of; absent: it scores all. */
  readonly shortlist?: Shortlist | undefined;
  readonly pace: Yielder;
}

/** Opens the weights of every student there is. Throws `INVALID_MODEL_FOLDER`. */
export async function openStudents(configs: StudentConfigs, context: OpenContext): Promise<Students> {
  const { vocabularySize, embedding, pace } = context;
  const ctc = configs.ctc && (await openCtc(configs.ctc, context));
  const fast = ctc && configs.ctcFast && (await openFastStudent(configs.ctcFast, ctc, pace));
  const { canvas, dag, edit } = configs;
  return {
    ctc,
    fast: fast ?? ctc,
    canvas: canvas && { ...canvas.config, network: await openCanvas(canvas, 'canvas', pace, embedding) },
    dag: dag && {
      ...dag.config,
      headTokenIds: await readHeadTokenIds(dag.folder, vocabularySize, pace),
      tensorOf: tensorReader(dag.folder),
    },
    edit: edit && { ...edit.config, network: await openCanvas(edit, 'edit', pace, embedding) },
  };
}

/**
 * The network on canvases of a folder; its graphs keep its weights under `name`. Without an `embedding` of the encoder's it has
 * one of its own. Throws `INVALID_MODEL_FOLDER`.
 */
export async function openCanvas(
  { folder, config }: ReadStudent<CanvasConfig>,
  name: string,
  pace: Yielder,
  embedding?: TokenEmbedding,
): Promise<CanvasNetwork> {
  const { shape, readsSource, readsHints, maskTokenId } = config;
  const { width, vocabularySize } = shape;
  const tensorOf = tensorReader(folder);
  return {
    name,
    shape,
    readsSource,
    readsHints,
    maskTokenId,
    headTokenIds: await readHeadTokenIds(folder, vocabularySize, pace),
    tensorOf,
    embedding: {
      ...(embedding ?? { name: `${name}.embed.weight`, table: tensorOf('embed.weight', [vocabularySize, width]) }),
      scale: Math.sqrt(width),
    },
  };
}

/** The CTC student that lattices and hints are made with. */
async function openCtc(
  { folder, config: shape }: ReadStudent<CtcShape>,
  { vocabularySize, blankId, shortlist, pace }: OpenContext,
): Promise<CtcStudent> {
  const headTokenIds = await readHeadTokenIds(folder, vocabularySize, pace);
  const sayable = new Set(headTokenIds);
  if (sayable.has(blankId)) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${folder.path}: the CTC head scores token ${blankId}, which must stand for the blank. Train without it.`,
      { folder: folder.path, field: 'head.token_ids', received: blankId },
    );
  }
  for (const tokenId of shortlist?.tokenIds() ?? []) {
    if (sayable.has(tokenId)) continue;
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${folder.path}: ${SHORTLIST_FILE} lists token ${tokenId}, which the CTC head cannot say. Make the shortlist again.`,
      { folder: folder.path, file: SHORTLIST_FILE, field: 'tokens', received: tokenId },
    );
  }
  const head = { tokenIds: [...headTokenIds, blankId], vocabularySize, owner: 'ctc' };
  return { name: 'ctc', shape, head, tensorOf: tensorReader(folder) };
}
