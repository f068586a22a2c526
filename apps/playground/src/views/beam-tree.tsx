import type { Trace } from '@foretoken/streams';
import { type HierarchyPointNode, hierarchy, tree } from 'd3-hierarchy';
import type { JSX } from 'preact';
import { revisionsOf } from '../trace/steps.js';
import { resultOf, tokenText } from '../trace/trace.js';
import { Scroll } from './scroll.js';
import { percent, visible } from './token.js';
import type { View, ViewProps } from './view.js';

/** A token of some hypothesis, what it hangs from, and when it was kept. */
export interface BeamNode {
  readonly id: string;
  readonly tokenId: number | undefined;
  readonly children: BeamNode[];
  /** Natural-log probability of the path up to here. */
  readonly logProb: number;
  readonly firstMs: number;
  /** The last moment at which a hypothesis that was kept went through here. */
  lastMs: number;
  /** A hypothesis that was returned ends here. */
  finished: boolean;
  /** On the path of the output. */
  best: boolean;
}

/** All hypotheses that a search ever kept, as one tree of tokens. */
export function beamTree(trace: Trace): BeamNode {
  const nodes = new Map<string, BeamNode>();
  const make = (id: string, tokenId: number | undefined, logProb: number, firstMs: number): BeamNode => {
    const node: BeamNode = {
      id,
      tokenId,
      children: [],
      logProb,
      firstMs,
      lastMs: firstMs,
      finished: false,
      best: false,
    };
    nodes.set(id, node);
    return node;
  };
  const root = make('', undefined, 0, 0);
  const grow = (tokenIds: Int32Array, logProb: number, atMs: number): BeamNode => {
    let node = root;
    root.lastMs = atMs;
    for (const tokenId of tokenIds) {
      const id = `${node.id}/${tokenId}`;
      const known = nodes.get(id);
      const next = known ?? make(id, tokenId, logProb, atMs);
      if (known === undefined) node.children.push(next);
      next.lastMs = atMs;
      node = next;
    }
    return node;
  };
  for (const { branches = [], atMs } of revisionsOf(trace)) {
    for (const { tokenIds, logProb } of branches) grow(tokenIds, logProb, atMs);
  }
  const { hypotheses, best } = resultOf(trace);
  const { atMs } = trace.events.at(-1) ?? { atMs: 0 };
  for (const { tokenIds, logProb = 0 } of hypotheses) grow(tokenIds, logProb, atMs).finished = true;
  let node: BeamNode | undefined = root;
  root.best = true;
  for (const tokenId of best.tokenIds) {
    node = node?.children.find((child) => child.tokenId === tokenId);
    if (node !== undefined) node.best = true;
  }
  return root;
}

const COLUMN = 86;
const ROW = 30;

function Picture({ trace, atMs }: ViewProps): JSX.Element {
  const root = hierarchy(beamTree(trace), ({ children }) => children);
  const ways = root.leaves().length;
  const columns = root.height + 1;
  const layout = tree<BeamNode>()
    .nodeSize([ROW, COLUMN])
    .separation(() => 1)(root);
  const nodes = layout.descendants();
  const top = Math.min(...nodes.map(({ x }) => x));
  const height = Math.max(...nodes.map(({ x }) => x)) - top + ROW;
  const x = ({ depth }: HierarchyPointNode<BeamNode>): number => depth * COLUMN + 8;
  const y = (node: HierarchyPointNode<BeamNode>): number => node.x - top + ROW / 2;
  const state = ({ firstMs, lastMs, best }: BeamNode): string => {
    if (firstMs > atMs) return 'ft-later';
    if (lastMs < atMs) return 'ft-pruned';
    return best ? 'ft-best' : 'ft-live';
  };
  return (
    <>
      <ul class="ft-legend" aria-label="Legend">
        <li>
          <span class="ft-swatch ft-swatch-best" /> the output
        </li>
        <li>
          <span class="ft-swatch ft-swatch-live" /> still kept
        </li>
        <li>
          <span class="ft-swatch ft-swatch-pruned" /> given up
        </li>
        <li>
          <span class="ft-swatch ft-swatch-end" /> finished
        </li>
      </ul>
      <Scroll label="Beam tree">
        <svg
          class="ft-tree"
          width={columns * COLUMN + 24}
          height={height}
          role="img"
          aria-label={`Tree of ${nodes.length - 1} tokens that were kept, ${ways} ways`}
        >
          {layout.links().map(({ source, target }) => (
            <path
              key={target.data.id}
              class={`ft-link ${state(target.data)}`}
              d={`M${x(source) + 4} ${y(source)}C${x(source) + COLUMN / 2} ${y(source)} ${x(target) - COLUMN / 2} ${y(target)} ${x(target) - 4} ${y(target)}`}
            />
          ))}
          {nodes.slice(1).map((node) => (
            <g key={node.data.id} class={`ft-node ${state(node.data)}`} transform={`translate(${x(node)} ${y(node)})`}>
              <title>{`probability of the whole beginning: ${percent(node.data.logProb)}`}</title>
              <rect x={-6} y={-11} width={COLUMN - 14} height={22} rx={node.data.finished ? 11 : 4} />
              <text y={4}>{short(visible(tokenText(trace, node.data.tokenId ?? 0)))}</text>
              {node.data.finished && <circle class="ft-end" cx={COLUMN - 18} r={3.5} />}
            </g>
          ))}
        </svg>
      </Scroll>
    </>
  );
}

function short(text: string): string {
  return text.length > 9 ? `${text.slice(0, 8)}…` : text;
}

export const beamTreeView: View = {
  id: 'beam',
  title: 'Beam tree',
  about:
    'Beam search keeps several beginnings of a sentence at once and writes each one word further in every step. Beginnings that fall behind are given up, and the finished sentence with the best score wins.',
  shows: (trace) => revisionsOf(trace).some(({ branches }) => branches !== undefined),
  Picture,
};
