import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { DeferredDense } from '../tensors/matrices.js';
import { quantisedRows, quantisedScores } from './quantised-product.js';

/** An embedding table `[vocabulary, width]`, the name it is kept under, and what embeddings are multiplied with. */
export interface TokenEmbedding {
  readonly name: string;
  readonly table: DeferredDense;
  readonly scale?: number | undefined;
  /** Whether the table is stored in 8 bits. */
  readonly quantised?: boolean | undefined;
}

/** The table as a value of the graph. */
export function embeddingTable(graph: GraphBuilder, { name, table }: TokenEmbedding): Value {
  return graph.weight(name, table.dims, table.values);
}

/** `scale * embedding` of each token, `[.., width]`. */
export function embedTokens(graph: GraphBuilder, embedding: TokenEmbedding, tokenIds: Value): Value {
  const { name, table, scale, quantised } = embedding;
  const embedded = quantised
    ? quantisedRows(graph, name, table, tokenIds)
    : graph.op('Gather', [embeddingTable(graph, embedding), tokenIds]);
  return scale === undefined ? embedded : graph.op('Mul', [embedded, graph.constant('float32', [], [scale])]);
}

/** Products of states `[rows, width]` with all rows of the table, `[rows, vocabulary]`, and `+ bias` where one is given. */
export function scoreTokens(
  graph: GraphBuilder,
  embedding: TokenEmbedding,
  states: Value,
  bias?: Value,
  named: { readonly name?: string | undefined } = {},
): Value {
  const { name, table, quantised } = embedding;
  if (!quantised) {
    // The embedding table serves as the output matrix: stored once, read here transposed.
    const inputs = [states, embeddingTable(graph, embedding), ...(bias === undefined ? [] : [bias])];
    return graph.op('Gemm', inputs, { transB: 1 }, named);
  }
  const scores = quantisedScores(graph, states, name, table, 8);
  return bias === undefined ? graph.op('Identity', [scores], {}, named) : graph.op('Add', [scores, bias], {}, named);
}
