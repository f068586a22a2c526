import {
  collect,
  type DagLattice,
  type Decoder,
  type Hypothesis,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import { assertTokenSources, logSoftmax, topK } from '@foretoken/core/kit';
import { randomLogits } from '@foretoken/testkit';

/** Unnormalised scores of a DAG; edges to the same or an earlier vertex are left out, whatever their score. */
export interface ScriptedDag {
  /** `[vertices][vocab]`. */
  readonly emissions: readonly ArrayLike<number>[];
  /** `[vertices][vertices]`, `-Infinity` where there is no edge. */
  readonly edges: readonly ArrayLike<number>[];
}

export interface DagModel extends LatticeModel<TokenSource> {
  /** The k of every call of `emit`. */
  readonly asked: (number | undefined)[];
}

export interface ScriptedDagOptions {
  readonly vocabularySize: number;
  readonly endTokenId?: number | undefined;
  readonly maxCandidates?: number;
  readonly dag: (source: TokenSource) => ScriptedDag;
}

/** A DAG model that is a function of the source. */
export function scriptedDagModel(options: ScriptedDagOptions): DagModel {
  const { vocabularySize, endTokenId = 0, maxCandidates = vocabularySize, dag } = options;
  const asked: (number | undefined)[] = [];
  return {
    asked,
    vocabulary: endTokenId < 0 ? { size: vocabularySize } : { size: vocabularySize, endTokenId },
    supports: { kind: 'dag', maxCandidates },
    async emit(sources, { k = 1, signal } = {}) {
      signal?.throwIfAborted();
      assertTokenSources(sources);
      asked.push(k);
      return sources.map((source) => dagLattice(dag(source), Math.min(k, maxCandidates)));
    },
  };
}

/** The lattice of a DAG with the k best tokens of each vertex. */
export function dagLattice({ emissions, edges }: ScriptedDag, k: number): DagLattice {
  const vertices = emissions.length;
  const logProbs = emissions.map((scores) => logSoftmax(scores));
  const best = logProbs.map((row) => topK(row, k));
  const transitions = edges.flatMap((scores, from) => [
    ...logSoftmax(Float64Array.from(scores, (score, to) => (to > from ? score : Number.NEGATIVE_INFINITY))),
  ]);
  return {
    kind: 'dag',
    vertices,
    k,
    tokenIds: Int32Array.from(best.flatMap((ids) => [...ids])),
    logProbs: Float32Array.from(best.flatMap((ids, vertex) => Array.from(ids, (id) => logProbs[vertex]?.[id]))),
    transitions: Float32Array.from(transitions),
  };
}

/** Random, repeatable scores; `sparsity` is the share of edges left out (never those to the next vertex). */
export function randomDag(seed: number, vertices: number, vocabularySize: number, sparsity = 0): ScriptedDag {
  const scores = (size: number) => randomLogits({ seed, vocabularySize: size, endTokenId: -1, sharpness: 4 });
  const tokens = scores(vocabularySize);
  const links = scores(vertices);
  const dice = randomLogits({ seed: seed + 1, vocabularySize: vertices, endTokenId: -1, sharpness: 1 });
  return {
    emissions: Array.from({ length: vertices }, (_, vertex) => tokens(Int32Array.of(1), [vertex])),
    edges: Array.from({ length: vertices }, (_, from) => {
      const chances = dice(Int32Array.of(3), [from]);
      return Float32Array.from(links(Int32Array.of(2), [from]), (score, to) =>
        to !== from + 1 && chances[to] < sparsity ? Number.NEGATIVE_INFINITY : score,
      );
    }),
  };
}

/** One way of saying one thing. */
export interface Derivation {
  readonly vertices: readonly number[];
  readonly tokenIds: readonly number[];
  /** Natural-log probability of the edges. */
  readonly pathLogProb: number;
  /** Natural-log probability of edges and tokens. */
  readonly logProb: number;
}

/** Every path with every choice of tokens, straight from the lattice's arrays. */
export function everyDerivation({ vertices, k, tokenIds, logProbs, transitions }: DagLattice): Derivation[] {
  const found: Derivation[] = [];
  const visit = (vertex: number, before: Derivation): void => {
    for (let candidate = 0; candidate < k; candidate++) {
      const at = vertex * k + candidate;
      const here: Derivation = {
        vertices: [...before.vertices, vertex],
        tokenIds: [...before.tokenIds, tokenIds[at]],
        pathLogProb: before.pathLogProb,
        logProb: before.logProb + logProbs[at],
      };
      if (vertex === vertices - 1) found.push(here);
      for (let to = vertex + 1; to < vertices; to++) {
        const edge = transitions[vertex * vertices + to];
        if (edge === Number.NEGATIVE_INFINITY) continue;
        visit(to, { ...here, pathLogProb: here.pathLogProb + edge, logProb: here.logProb + edge });
      }
    }
  };
  visit(0, { vertices: [], tokenIds: [], pathLogProb: 0, logProb: 0 });
  return found;
}

export interface SummedOutput {
  readonly tokenIds: readonly number[];
  /** Natural log of the summed probability of all derivations that say this. */
  readonly logProb: number;
}

/** What is said, by its tokens joined with commas, with the probabilities of all its derivations summed. */
export function sums(all: readonly Derivation[]): Map<string, SummedOutput> {
  const byTokens = new Map<string, SummedOutput>();
  for (const { tokenIds, logProb } of all) {
    const before = byTokens.get(String(tokenIds))?.logProb ?? Number.NEGATIVE_INFINITY;
    byTokens.set(String(tokenIds), { tokenIds, logProb: Math.log(Math.exp(before) + Math.exp(logProb)) });
  }
  return byTokens;
}

/** Hypotheses of one row, source 1 2, whose lattice is this DAG; no token ends an output. */
export async function decodeDag(
  decoder: Decoder<LatticeModel<TokenSource>>,
  dag: ScriptedDag,
  vocabularySize: number,
  seed = 0,
): Promise<readonly Hypothesis[]> {
  const model = scriptedDagModel({ vocabularySize, endTokenId: -1, dag: () => dag });
  const { results } = await collect(decoder.decode(model, { sources: [Int32Array.of(1, 2)], seed }));
  return results[0]?.hypotheses ?? [];
}
