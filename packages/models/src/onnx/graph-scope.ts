import type { GraphParts, HeldTensor, NodeParts } from './graph-parts.js';

/** An operator of a graph, and the graph that it stands in. */
export interface ScopedNode {
  readonly scope: GraphScope;
  readonly parts: NodeParts;
}

/** A graph by the names of what it computes and holds; a graph inside an operator sees those of the graph around it. */
export class GraphScope {
  /** In their order. */
  readonly nodes: readonly ScopedNode[];
  readonly #outer: GraphScope | undefined;
  readonly #given = new Map<string, ScopedNode>();
  readonly #tensors: Map<string, HeldTensor>;

  constructor({ tensors, nodes }: GraphParts, outer?: GraphScope) {
    this.#outer = outer;
    this.#tensors = new Map(tensors);
    this.nodes = nodes.map((parts) => ({ scope: this, parts }));
    for (const node of this.nodes) {
      const { outputs, constant } = node.parts;
      for (const name of outputs) {
        this.#given.set(name, node);
        if (constant !== undefined) this.#tensors.set(name, constant);
      }
    }
  }

  /** The operator that computes what has a name; undefined for weights and inputs. */
  node(name: string): ScopedNode | undefined {
    return this.#given.get(name) ?? this.#outer?.node(name);
  }

  /** Sizes of a tensor that the graph holds; undefined for what is computed, and for inputs. */
  dims(name: string): readonly number[] | undefined {
    return this.#tensor(name)?.dims;
  }

  /** The number that a name stands for, where the graph holds it: a scalar, or a list of one. */
  integer(name: string): number | undefined {
    return this.#tensor(name)?.integer;
  }

  #tensor(name: string): HeldTensor | undefined {
    const own = this.#tensors.get(name);
    if (own !== undefined || this.#outer === undefined) return own;
    return this.#outer.#tensor(name);
  }
}
