import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { revisionsOf } from '../trace/steps.js';
import { tokenText } from '../trace/trace.js';
import { Scroll } from './scroll.js';
import { percent, visible } from './token.js';
import type { View, ViewProps } from './view.js';

/** A vertex with the best token that it may say. */
export interface Vertex {
  readonly vertex: number;
  readonly text: string;
  readonly logProb: number;
  readonly chosen: boolean;
}

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly logProb: number;
  readonly chosen: boolean;
}

/** Edges less probable than this are not drawn. */
const MIN_PROBABILITY = 0.05;

/** The lattice of a DAG decode, and the path that was taken through it. */
export function dagOf(trace: Trace): { vertices: readonly Vertex[]; edges: readonly Edge[] } {
  const found = revisionsOf(trace).find(({ lattice }) => lattice?.kind === 'dag');
  const { lattice } = found ?? {};
  if (lattice?.kind !== 'dag') return { vertices: [], edges: [] };
  // A vertex that says the start token begins every path, and is no part of the alignment.
  const told = [...(found?.alignment?.firstFrames ?? [])];
  const path = told[0] === 0 ? told : [0, ...told];
  const follows = new Map(path.map((vertex, index) => [vertex, path[index + 1]]));
  const vertices = Array.from({ length: lattice.vertices }, (_, vertex): Vertex => {
    const cell = vertex * lattice.k;
    const text = tokenText(trace, lattice.tokenIds[cell]);
    return { vertex, text, logProb: lattice.logProbs[cell], chosen: follows.has(vertex) };
  });
  const edges = vertices.flatMap(({ vertex: from }) =>
    vertices.slice(from + 1).flatMap(({ vertex: to }): Edge[] => {
      const logProb = lattice.transitions[from * lattice.vertices + to];
      const chosen = follows.get(from) === to;
      return chosen || logProb > Math.log(MIN_PROBABILITY) ? [{ from, to, logProb, chosen }] : [];
    }),
  );
  return { vertices, edges };
}

const COLUMN = 58;
const MIDDLE = 130;
const HEIGHT = 236;

function Picture({ trace, atMs }: ViewProps): JSX.Element {
  const { vertices, edges } = dagOf(trace);
  const [revision] = revisionsOf(trace);
  const shown = (revision?.atMs ?? 0) <= atMs;
  const x = (vertex: number): number => vertex * COLUMN + 30;
  const max = Math.max(1, ...edges.map(({ from, to }) => to - from));
  const rise = (span: number): number => 26 + ((MIDDLE - 40) * (span - 1)) / Math.max(1, max - 1);
  return (
    <>
      <ul class="ft-legend" aria-label="Legend">
        <li>
          <span class="ft-swatch ft-swatch-best" /> the path that was taken
        </li>
        <li>
          <span class="ft-swatch ft-swatch-live" /> other ways on, thicker where more probable
        </li>
      </ul>
      <Scroll label="Graph of words">
        <svg
          class={`ft-dag${shown ? '' : ' ft-later'}`}
          width={vertices.length * COLUMN + 40}
          height={HEIGHT}
          role="img"
          aria-label={`${vertices.length} words in order, ${vertices.filter(({ chosen }) => chosen).length} of them on the path`}
        >
          {edges.map(({ from, to, logProb, chosen }) => (
            <path
              key={`${from} ${to}`}
              class={chosen ? 'ft-edge ft-edge-chosen' : 'ft-edge'}
              style={{ strokeWidth: `${(0.5 + 3 * Math.exp(logProb)).toFixed(2)}px` }}
              d={`M${x(from)} ${MIDDLE}Q${(x(from) + x(to)) / 2} ${MIDDLE - 2 * rise(to - from)} ${x(to)} ${MIDDLE}`}
            >
              <title>{percent(logProb)}</title>
            </path>
          ))}
          {vertices.map(({ vertex, text, logProb, chosen }) => (
            <g
              key={vertex}
              class={chosen ? 'ft-vertex ft-chosen' : 'ft-vertex'}
              transform={`translate(${x(vertex)} ${MIDDLE})`}
            >
              <title>{`${visible(text)}: ${percent(logProb)}`}</title>
              <circle r={chosen ? 6 : 4} />
              <text transform="rotate(55)" x={12} y={4}>
                {visible(text)}
              </text>
            </g>
          ))}
        </svg>
      </Scroll>
    </>
  );
}

export const dagView: View = {
  id: 'dag',
  title: 'Paths through a graph of words',
  about:
    'The model writes down more words than it needs, in order, and says how probable it is that one follows another. A sentence is a path from the first word to the last one, so words that do not belong together are never mixed.',
  shows: (trace) => revisionsOf(trace).some(({ lattice }) => lattice?.kind === 'dag'),
  Picture,
};
