import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { revisionsOf } from '../trace/steps.js';
import { tokenText } from '../trace/trace.js';
import { Mark } from './figure.js';
import { Scroll } from './scroll.js';
import { Token, type TokenProps, Tokens } from './token.js';
import type { View, ViewProps } from './view.js';

/** What happened to a position in an iteration. */
export type CellState = 'masked' | 'new' | 'again' | 'kept' | 'given';

export interface Cell {
  readonly tokenId: number;
  readonly state: CellState;
  readonly logProb?: number | undefined;
}

export interface Iteration {
  readonly atMs: number;
  readonly cells: readonly Cell[];
}

/** The canvas after each iteration, and what each position was before. */
export function iterationsOf(trace: Trace): Iteration[] {
  let before: readonly Cell[] = [];
  return revisionsOf(trace).map(({ tokenIds, logProbs, atMs }, iteration) => {
    const cells = Array.from(tokenIds, (tokenId, position): Cell => {
      const logProb = logProbs?.[position];
      const last = before[position];
      if (tokenId === trace.header.undecided) return { tokenId, state: 'masked' };
      if (isGiven(trace, position)) return { tokenId, state: 'given' };
      const same = iteration > 0 && last?.state !== 'masked' && last?.tokenId === tokenId;
      // A position that was masked and filled anew has another probability, also where it says the same.
      const state = !same ? 'new' : last?.logProb === logProb ? 'kept' : 'again';
      return { tokenId, state, logProb };
    });
    before = cells;
    return { atMs, cells };
  });
}

/** A position that never had a probability, but stands in the output, was given. */
function isGiven(trace: Trace, position: number): boolean {
  const last = revisionsOf(trace).at(-1);
  return last?.logProbs !== undefined && Number.isNaN(last.logProbs[position] ?? 0);
}

/** More iterations than this are drawn as a map, and the text of one of them at a time. */
const ROWS = 10;

function Picture({ trace, atMs }: ViewProps): JSX.Element {
  const iterations = iterationsOf(trace);
  const now = iterations.findLastIndex((iteration) => iteration.atMs <= atMs);
  return (
    <>
      <ul class="ft-legend" aria-label="Legend">
        <li>
          <Token text="masked" fate="masked" /> not decided yet
        </li>
        <li>
          <Token text="new" fate="new" /> decided in this iteration
        </li>
        <li>
          <Token text="again" fate="again" /> opened again, and filled with the same
        </li>
        <li>
          <Token text="kept" fate="kept" /> decided before
        </li>
      </ul>
      {iterations.length > ROWS ? (
        <>
          <p class="ft-note">
            The text as it stands, and below it a map: a row for each iteration, from top to bottom, and a column for
            each place of the text. A dark dot is a place that was decided in this iteration; grey places at the left
            were given.
          </p>
          <Overlay trace={trace} iterations={iterations} now={now} />
          <CanvasMap iterations={iterations} now={now} />
        </>
      ) : (
        <ol class="ft-rounds">
          {iterations.map(({ cells, atMs: endMs }, index) => (
            <li key={endMs} class={index <= now ? undefined : 'ft-later'}>
              <span class="ft-round-name">Iteration {index + 1}</span>
              <span class="ft-round-tokens">
                <Tokens tokens={cells.map((cell) => cellToken(cell, trace, index > now))} />
              </span>
              <span class="ft-round-count">
                {`${cells.filter(({ state }) => state === 'new').length} new `}
                <Mark kind="measured" />
              </span>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function cellToken({ tokenId, state, logProb }: Cell, trace: Trace, hidden: boolean): TokenProps {
  if (state === 'masked') return { text: '', fate: 'masked', hidden };
  return { text: tokenText(trace, tokenId), fate: state === 'given' ? 'own' : state, logProb, hidden };
}

interface OverlayProps {
  readonly trace: Trace;
  readonly iterations: readonly Iteration[];
  readonly now: number;
}

/** One canvas; each position has room for all that it will ever say, so that nothing moves. */
function Overlay({ trace, iterations, now }: OverlayProps): JSX.Element {
  const { length } = iterations.at(-1)?.cells ?? [];
  return (
    <p class="ft-overlay">
      {Array.from({ length }, (_, position) => {
        const texts = new Set(
          iterations.flatMap(({ cells }) => {
            const cell = cells[position];
            return cell === undefined || cell.state === 'masked' ? [] : [tokenText(trace, cell.tokenId)];
          }),
        );
        const cell = iterations[now]?.cells[position];
        return (
          <span key={position} class="ft-stack">
            {[...texts].map((text) => (
              <span key={text} class="ft-room" aria-hidden="true">
                <Token text={text} hidden />
              </span>
            ))}
            <Token {...(cell === undefined ? { text: '', fate: 'masked' } : cellToken(cell, trace, false))} />
          </span>
        );
      })}
    </p>
  );
}

const SIDE = 14;

/** A row for each iteration, a column for each position. */
function CanvasMap({ iterations, now }: Pick<OverlayProps, 'iterations' | 'now'>): JSX.Element {
  const columns = iterations.at(-1)?.cells.length ?? 0;
  return (
    <Scroll label="All iterations">
      <svg
        class="ft-map"
        width={columns * SIDE}
        height={iterations.length * SIDE}
        role="img"
        aria-label={`${iterations.length} iterations of ${columns} positions`}
      >
        {iterations.map(({ cells, atMs }, row) => (
          <g key={atMs} class={row <= now ? undefined : 'ft-later'} transform={`translate(0 ${row * SIDE})`}>
            {cells.map(({ state }, position) => (
              <rect
                key={position}
                class={`ft-cell ft-cell-${state}`}
                x={position * SIDE + 1}
                y={1}
                width={SIDE - 2}
                height={SIDE - 2}
                rx={state === 'new' ? 6 : 2}
              />
            ))}
          </g>
        ))}
      </svg>
    </Scroll>
  );
}

export const canvasView: View = {
  id: 'canvas',
  title: 'Canvas by iteration',
  about:
    'The text begins as a row of gaps, and the model fills many of them at once, in any order. In each iteration what it is sure of stays, and what it is not sure of is opened again and filled anew, now that the neighbours are known.',
  shows: (trace) => {
    const revisions = revisionsOf(trace);
    return (
      revisions.length > 0 &&
      revisions.every(({ branches, lattice, origins, logProbs }) => {
        return branches === undefined && lattice === undefined && origins === undefined && logProbs !== undefined;
      })
    );
  },
  Picture,
};
