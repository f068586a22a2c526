import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { DeferredDense } from '../tensors/matrices.js';

/** An embedding table `[vocabulary, width]`, the name it is kept under, and what embeddings are multiplied with. */
export interface TokenEmbedding {
  readonly name: string;
  readonly table: DeferredDense;
  readonly scale?: number | undefined;
}

/** The table as a value of the graph. */
export function embeddingTable(graph: GraphBuilder, { name, table }: TokenEmbedding): Value {
  return graph.weight(name, table.dims, table.values);
}

/** `scale * embedding` of each token, `[.., width]`. */
export function embedTokens(graph: GraphBuilder, embedding: TokenEmbedding, tokenIds: Value): Value {
  const embedded = graph.op('Gather', [embeddingTable(graph, embedding), tokenIds]);
  const { scale } = embedding;
  return scale === undefined ? embedded : graph.op('Mul', [embedded, graph.constant('float32', [], [scale])]);
}
