import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import { type FillGraphFiles, type MarianManifest, SHORTLIST_FILE, type Shortlist } from '@foretoken/models/folder';
import type { SourceTokens } from '../blocks/source-tokens.js';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { EmitGraph } from '../graphs/graph-files.js';
import { configInteger, type WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import { tensorReader } from '../tensors/tensor-reader.js';
import { hintStudent, readCanvasNetwork, readLengths } from './canvas-config.js';
import { type CanvasNetwork, emitFill, type FillHead } from './canvas-graph.js';
import { emitOpen, type Lengths } from './canvas-open-graph.js';
import { type CtcStudent, emitCtc } from './ctc-graph.js';
import { emitDag } from './dag-graph.js';
import { emitDeletions, emitPlaceholders } from './edit-graph.js';
import type { EncoderShape } from './encoder-shape.js';
import { readFastStudent } from './fast-student.js';
import type { HintKind } from './hint-graph.js';
import { checkStudent, readCtcShape, readDagShape, readHeadTokenIds, refuseConfig } from './student-config.js';

/** Weights folders of the students of one encoder. */
export interface StudentFolders {
  readonly ctc?: WeightsFolder;
  /** The CTC student of the fast graph, where it is not `ctc`. */
  readonly ctcFast?: WeightsFolder;
  readonly canvas?: WeightsFolder;
  readonly dag?: WeightsFolder;
  readonly edit?: WeightsFolder;
}

/** What the students of a folder share. */
export interface StudentContext {
  readonly encoder: EncoderShape;
  /** The encoder's embedding table, which canvases are embedded with. */
  readonly embedding: CanvasNetwork['embedding'];
  /** Token id that stands for the CTC blank in emitted lattices. */
  readonly blankId: number;
  readonly emit: EmitGraph;
  readonly pace: Yielder;
  /** The states of sources after the encoder's first `layers` layers, with 8-bit products. */
  readonly encode8Bit: (graph: GraphBuilder, source: SourceTokens, layers: number) => Value;
  /** Tokens that the drafting graph is to be fed a choice of; absent: it scores all. */
  readonly shortlist?: Shortlist;
}

/** The manifest's facts of the students, and their graphs. */
export interface ImportedStudents {
  readonly graphs: Pick<MarianManifest['graphs'], 'ctc' | 'ctcDraft' | 'ctcFast' | 'canvas' | 'dag' | 'edit'>;
  readonly facts: Pick<MarianManifest, 'ctc' | 'canvas' | 'dag' | 'edit'>;
}

/** Most candidates that a frame or vertex of an imported lattice holds. */
const LATTICE_CANDIDATES = 16;
/** Most candidates that the top-k head of an imported network returns for each position. */
const POSITION_CANDIDATES = 64;

/** Emits the graphs of every student there is. Throws `INVALID_MODEL_FOLDER`. */
export async function importStudents(folders: StudentFolders, context: StudentContext): Promise<ImportedStudents> {
  const ctc = folders.ctc && (await readCtcStudent(folders.ctc, context));
  const imported = [
    ...(ctc === undefined ? [] : [await importCtc(ctc, folders.ctcFast, context)]),
    ...(folders.canvas === undefined ? [] : [await importCanvas(folders.canvas, ctc, context)]),
    ...(folders.dag === undefined ? [] : [await importDag(folders.dag, context)]),
    ...(folders.edit === undefined ? [] : [await importEdit(folders.edit, ctc, context)]),
  ];
  return {
    graphs: Object.assign({}, ...imported.map(({ graphs }) => graphs)),
    facts: Object.assign({}, ...imported.map(({ facts }) => facts)),
  };
}

/** The CTC student that lattices and hints are made with. Throws `INVALID_MODEL_FOLDER`. */
async function readCtcStudent(
  folder: WeightsFolder,
  { encoder, blankId, shortlist, pace }: StudentContext,
): Promise<CtcStudent> {
  const shape = readCtcShape(folder, encoder);
  if (shape.encoderLayers !== encoder.encoderLayers) {
    refuseConfig(folder, 'encoder_layers', 'ctc, unlike ctcFast,', encoder.encoderLayers);
  }
  const headTokenIds = await readHeadTokenIds(folder, encoder.vocabularySize, pace);
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
  const head = { tokenIds: [...headTokenIds, blankId], vocabularySize: encoder.vocabularySize, owner: 'ctc' };
  return { name: 'ctc', shape, head, tensorOf: tensorReader(folder) };
}

async function importCtc(
  student: CtcStudent,
  fastFolder: WeightsFolder | undefined,
  { encoder, blankId, emit, pace, encode8Bit, shortlist }: StudentContext,
): Promise<ImportedStudents> {
  const fast = fastFolder === undefined ? student : await readFastStudent(fastFolder, student, encoder, pace);
  const quick = { precision: 'int8', shortlist: shortlist !== undefined } as const;
  await emit('ctc.onnx', 'ctc-student', (graph) => emitCtc(graph, student, { precision: 'float32', shortlist: false }));
  await emit('ctc-draft.onnx', 'ctc-student-draft', (graph) => emitCtc(graph, student, quick));
  await emit('ctc-fast.onnx', 'encoder-and-ctc-student', (graph) => {
    const dims = ['batch', 'source'];
    const tokenIds = graph.input('token_ids', 'int32', dims);
    const positions = graph.input('source_positions', 'int32', dims);
    const mask = graph.input('source_mask', 'int32', dims);
    const states = encode8Bit(graph, { tokenIds, positions, mask }, fast.shape.encoderLayers);
    emitCtc(graph, fast, quick, { states, mask });
  });
  const maxCandidates = Math.min(LATTICE_CANDIDATES, student.head.tokenIds.length);
  return {
    graphs: { ctc: 'ctc.onnx', ctcDraft: 'ctc-draft.onnx', ctcFast: 'ctc-fast.onnx' },
    facts: { ctc: { blankId, upsample: student.shape.upsample, maxCandidates } },
  };
}

async function importCanvas(
  folder: WeightsFolder,
  ctc: CtcStudent | undefined,
  context: StudentContext,
): Promise<ImportedStudents> {
  checkStudent(folder, 'foretoken-canvas', 'a canvas student', context.encoder);
  const network = await readCanvasNetwork(folder, 'canvas', context.pace, context.embedding);
  const hint = hintStudent(folder, network, ctc);
  const lengths = readLengths(folder, network);
  const opens = await emitOpens(network, lengths, hint, context.emit);
  return {
    graphs: { canvas: { ...opens, fill: await emitFills(network, context.emit) } },
    facts: {
      canvas: {
        maskTokenId: network.maskTokenId,
        ...canvasFacts(network),
        ...(lengths === undefined ? {} : { lengths }),
      },
    },
  };
}

async function importEdit(
  folder: WeightsFolder,
  ctc: CtcStudent | undefined,
  context: StudentContext,
): Promise<ImportedStudents> {
  checkStudent(folder, 'foretoken-edit', 'an edit student', context.encoder);
  const network = await readCanvasNetwork(folder, 'edit', context.pace, context.embedding);
  const hint = hintStudent(folder, network, ctc);
  const { maskTokenId: placeholderTokenId } = network;
  const startTokenId = configInteger(folder, 'start_token_id', 0, network.shape.vocabularySize - 1);
  const mostPlaceholders = configInteger(folder, 'max_placeholders', 1, 65_536);
  const graphs = {
    ...(await emitOpens(network, undefined, hint, context.emit)),
    deletions: 'edit-deletions.onnx',
    placeholders: 'edit-placeholders.onnx',
  };
  await context.emit(graphs.deletions, 'edit-deletions', (graph) => emitDeletions(graph, network));
  await context.emit(graphs.placeholders, 'edit-placeholders', (graph) =>
    emitPlaceholders(graph, network, mostPlaceholders),
  );
  return {
    graphs: { edit: { ...graphs, fill: await emitFills(network, context.emit) } },
    facts: { edit: { placeholderTokenId, startTokenId, ...canvasFacts(network) } },
  };
}

async function importDag(folder: WeightsFolder, { encoder, emit, pace }: StudentContext): Promise<ImportedStudents> {
  const shape = readDagShape(folder, encoder);
  const headTokenIds = await readHeadTokenIds(folder, encoder.vocabularySize, pace);
  const startTokenId = configInteger(folder, 'start_token_id', 0, encoder.vocabularySize - 1);
  await emit('dag.onnx', 'dag-student', (graph) => emitDag(graph, tensorReader(folder), shape, headTokenIds));
  const maxCandidates = Math.min(LATTICE_CANDIDATES, headTokenIds.length);
  return { graphs: { dag: 'dag.onnx' }, facts: { dag: { startTokenId, upsample: shape.upsample, maxCandidates } } };
}

function canvasFacts({ shape, headTokenIds }: CanvasNetwork) {
  const { layers, maxPositions: maxLength } = shape;
  return { layers, maxLength, maxCandidates: mostCandidates(headTokenIds) };
}

/** Candidates of a position: what is useful, at most what the head has. */
export function mostCandidates(headTokenIds: readonly number[]): number {
  return Math.min(POSITION_CANDIDATES, headTokenIds.length);
}

/** Emits the graph that opens sources, and where hints are read another one that is given them. */
async function emitOpens(
  network: CanvasNetwork,
  lengths: Lengths | undefined,
  student: CtcStudent | undefined,
  emit: EmitGraph,
): Promise<{ readonly open: string; readonly openHints?: string }> {
  const { name } = network;
  const open = `${name}-open.onnx`;
  const reader = (kind: HintKind) => student && { student, kind };
  await emit(open, `${name}-open`, (graph) => emitOpen(graph, network, lengths, reader('best')));
  if (student === undefined) return { open };
  const openHints = `${name}-open-hints.onnx`;
  await emit(openHints, `${name}-open-hints`, (graph) => emitOpen(graph, network, lengths, reader('given')));
  return { open, openHints };
}

/** Emits a network's fill graphs, one a head. */
export async function emitFills(network: CanvasNetwork, emit: EmitGraph): Promise<Required<FillGraphFiles>> {
  const files = {
    topK: `${network.name}-fill-top-k.onnx`,
    argmax: `${network.name}-fill-argmax.onnx`,
    logProbs: `${network.name}-fill-log-probs.onnx`,
  };
  for (const [head, file] of Object.entries(files)) {
    await emit(file, `${network.name}-fill-${head}`, (graph) => emitFill(graph, network, head as FillHead));
  }
  return files;
}
