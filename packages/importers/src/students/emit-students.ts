import type { FillGraphFiles, StudentFacts, StudentGraphs } from '@foretoken/models/internal';
import type { SourceTokens } from '../blocks/source-tokens.js';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { EmitGraph } from '../graphs/graph-files.js';
import { type CanvasNetwork, emitFill, type FillHead } from './canvas-graph.js';
import { emitOpen, type Lengths } from './canvas-open-graph.js';
import { type CtcStudent, emitCtc } from './ctc-graph.js';
import { type DagStudent, emitDag } from './dag-graph.js';
import { emitDeletions, emitPlaceholders } from './edit-graph.js';
import type { HintKind } from './hint-graph.js';
import type { Students } from './open-students.js';

/** What the graphs of students are emitted with. */
export interface EmitContext {
  readonly emit: EmitGraph;
  /** The drafting graph is fed a choice of tokens. */
  readonly shortlist: boolean;
  /** The states of sources after the encoder's first `layers` layers, with 8-bit products. */
  readonly encode8Bit: (graph: GraphBuilder, source: SourceTokens, layers: number) => Value;
}

/** The manifest's facts of the students, and their graphs. */
export interface EmittedStudents {
  readonly graphs: StudentGraphs;
  readonly facts: StudentFacts;
}

/** Most candidates that a frame or vertex of an imported lattice holds. */
const LATTICE_CANDIDATES = 16;
/** Most candidates that the top-k head of an imported network returns for each position. */
const POSITION_CANDIDATES = 64;

/** Emits the graphs of every student there is. */
export async function emitStudents(students: Students, context: EmitContext): Promise<EmittedStudents> {
  const { ctc, fast, canvas, dag, edit } = students;
  const emitted = [
    ctc && fast && (await emitCtcGraphs(ctc, fast, context)),
    canvas && (await emitCanvasGraphs(canvas, ctc, context)),
    dag && (await emitDagGraph(dag, context)),
    edit && (await emitEditGraphs(edit, ctc, context)),
  ].filter((student) => student !== undefined);
  return {
    graphs: Object.assign({}, ...emitted.map(({ graphs }) => graphs)),
    facts: Object.assign({}, ...emitted.map(({ facts }) => facts)),
  };
}

async function emitCtcGraphs(
  student: CtcStudent,
  fast: CtcStudent,
  { emit, encode8Bit, shortlist }: EmitContext,
): Promise<EmittedStudents> {
  const quick = { precision: 'int8', shortlist } as const;
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
  const { head, shape } = student;
  const maxCandidates = Math.min(LATTICE_CANDIDATES, head.tokenIds.length);
  const blankId = head.tokenIds[head.tokenIds.length - 1];
  return {
    graphs: { ctc: 'ctc.onnx', ctcDraft: 'ctc-draft.onnx', ctcFast: 'ctc-fast.onnx' },
    facts: { ctc: { blankId, upsample: shape.upsample, maxCandidates } },
  };
}

async function emitCanvasGraphs(
  { network, lengths }: NonNullable<Students['canvas']>,
  ctc: CtcStudent | undefined,
  { emit }: EmitContext,
): Promise<EmittedStudents> {
  const opens = await emitOpens(network, lengths, ctc, emit);
  return {
    graphs: { canvas: { ...opens, fill: await emitFills(network, emit) } },
    facts: {
      canvas: {
        maskTokenId: network.maskTokenId,
        ...canvasFacts(network),
        lengths,
      },
    },
  };
}

async function emitEditGraphs(
  { network, startTokenId, maxPlaceholders }: NonNullable<Students['edit']>,
  ctc: CtcStudent | undefined,
  { emit }: EmitContext,
): Promise<EmittedStudents> {
  const graphs = {
    ...(await emitOpens(network, undefined, ctc, emit)),
    deletions: 'edit-deletions.onnx',
    placeholders: 'edit-placeholders.onnx',
  };
  await emit(graphs.deletions, 'edit-deletions', (graph) => emitDeletions(graph, network));
  await emit(graphs.placeholders, 'edit-placeholders', (graph) => emitPlaceholders(graph, network, maxPlaceholders));
  const { maskTokenId: placeholderTokenId } = network;
  return {
    graphs: { edit: { ...graphs, fill: await emitFills(network, emit) } },
    facts: { edit: { placeholderTokenId, startTokenId, ...canvasFacts(network) } },
  };
}

async function emitDagGraph(student: DagStudent, { emit }: EmitContext): Promise<EmittedStudents> {
  const { shape, headTokenIds, startTokenId } = student;
  await emit('dag.onnx', 'dag-student', (graph) => emitDag(graph, student));
  const maxCandidates = Math.min(LATTICE_CANDIDATES, headTokenIds.length);
  return { graphs: { dag: 'dag.onnx' }, facts: { dag: { startTokenId, upsample: shape.upsample, maxCandidates } } };
}

function canvasFacts({ shape, headTokenIds }: CanvasNetwork) {
  const { layers, maxPositions: maxLength } = shape;
  return { layers, maxLength, maxCandidates: maxCandidates(headTokenIds) };
}

/** Candidates of a position: what is useful, at most what the head has. */
export function maxCandidates(headTokenIds: readonly number[]): number {
  return Math.min(POSITION_CANDIDATES, headTokenIds.length);
}

/** Emits the graph that opens sources, and where hints of `ctc` are read another one that is given them. */
async function emitOpens(
  network: CanvasNetwork,
  lengths: Lengths | undefined,
  ctc: CtcStudent | undefined,
  emit: EmitGraph,
): Promise<{ readonly open: string; readonly openHints?: string | undefined }> {
  const { name } = network;
  const student = network.readsHints ? ctc : undefined;
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
