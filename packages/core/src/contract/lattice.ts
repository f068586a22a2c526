import type { OpenOptions, SourceEncoder } from './encoding.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * Emissions of a CTC model for one source (Graves et al., 2006): the k best labels of each frame.
 *
 * `tokenIds` and `logProbs` are `[frames, k]`, best first, natural log, the blank among the candidates where it ranks;
 * `blankLogProbs [frames]` holds the blank's score always. The arrays belong to the caller.
 */
export interface CtcLattice {
  readonly kind: 'ctc';
  /** Frames of the lattice. */
  readonly frames: number;
  /** Candidates of each frame. */
  readonly k: number;
  /** Label that says nothing; it may be an id outside the vocabulary. */
  readonly blankId: number;
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
  readonly blankLogProbs: Float32Array;
}

/**
 * Vertices in topological order with emission and transition scores (Huang et al., 2022, "Directed Acyclic Transformer").
 *
 * `tokenIds` and `logProbs` are `[vertices, k]`; `transitions [vertices, vertices]` holds natural-log probabilities of
 * the edge from row to column, `-Infinity` where there is none. A path runs from vertex 0 to the last vertex.
 */
export interface DagLattice {
  readonly kind: 'dag';
  /** Vertices of the lattice. */
  readonly vertices: number;
  /** Candidates of each vertex. */
  readonly k: number;
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
  readonly transitions: Float32Array;
}

/** A path through a CTC lattice: its tokens, and the frame where each begins, later than the one before; `[tokens]` each. */
export interface LatticePath {
  readonly tokenIds: Int32Array;
  readonly firstFrames: Int32Array;
}

/** All outputs of one source that a model considers, scored at once; `kind` tells the two shapes apart. */
export type Lattice = CtcLattice | DagLattice;

/** What a lattice is emitted with. */
export interface EmitOptions extends OpenOptions {
  /** Candidates to return for each frame or vertex, at least 1; capped at `maxCandidates`. Default 1. */
  readonly k?: number | undefined;
}

/** What a lattice model can do. */
export interface LatticeSupport {
  /** The kind of lattice that the model emits. */
  readonly kind: Lattice['kind'];
  /** Most candidates a frame or vertex can return. */
  readonly maxCandidates: number;
}

/** A model that scores a whole lattice of outputs at once; in a ragged batch it may read similar lengths together. */
export interface LatticeModel<Source> {
  readonly vocabulary: Vocabulary;
  /** What the model can do. */
  readonly supports: LatticeSupport;
  /** What reads the sources, where other models may share it. */
  readonly encoder?: SourceEncoder<Source> | undefined;
  /** Of a DAG model: what vertex 0 always says, if it is no part of outputs; DAG strategies leave it out. */
  readonly startTokenId?: number | undefined;
  /** Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `DISPOSED`. */
  emit(sources: readonly Source[], options?: EmitOptions): Promise<Lattice[]>;
}
