import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { revisionsOf } from '../trace/steps.js';
import { tokenText } from '../trace/trace.js';
import { Token, Tokens } from './token.js';
import type { View, ViewProps } from './view.js';

/** A token in an edit: it stayed, it was put in, a gap was opened for it, or it was taken away. */
export interface EditedToken {
  readonly text: string;
  readonly state: 'kept' | 'new' | 'masked' | 'deleted';
  readonly logProb?: number | undefined;
}

export interface EditStep {
  readonly atMs: number;
  readonly what: 'Start' | 'Deleted' | 'Opened gaps' | 'Filled' | 'Unchanged';
  readonly tokens: readonly EditedToken[];
}

/** What each edit did to the text before it. */
export function editSteps(trace: Trace): EditStep[] {
  let before: readonly { readonly tokenId: number; readonly open: boolean }[] = [];
  return revisionsOf(trace).map(({ tokenIds, logProbs, origins, atMs }, index) => {
    const open = Array.from(tokenIds, (tokenId) => tokenId === trace.header.undecided);
    const tokens: EditedToken[] = [];
    let next = 0;
    const drop = (until: number): void => {
      for (; next < until; next++) {
        tokens.push({ text: tokenText(trace, before[next].tokenId), state: 'deleted' });
      }
    };
    for (const [position, tokenId] of tokenIds.entries()) {
      const origin = origins?.[position] ?? -1;
      if (origin >= 0 && origin < before.length) {
        drop(origin);
        next = origin + 1;
      }
      const filled = origin >= 0 && before[origin]?.open === true && !open[position];
      const state = open[position] ? 'masked' : origin < 0 || filled ? 'new' : 'kept';
      tokens.push({ text: open[position] ? '    ' : tokenText(trace, tokenId), state, logProb: logProbs?.[position] });
    }
    drop(before.length);
    const has = (state: EditedToken['state']): boolean => tokens.some((token) => token.state === state);
    const what = has('deleted')
      ? 'Deleted'
      : has('masked')
        ? 'Opened gaps'
        : has('new')
          ? 'Filled'
          : index === 0
            ? 'Start'
            : 'Unchanged';
    before = Array.from(tokenIds, (tokenId, position) => ({ tokenId, open: open[position] }));
    return { atMs, what, tokens };
  });
}

function Picture({ trace, atMs }: ViewProps): JSX.Element {
  return (
    <>
      <ul class="ft-legend" aria-label="Legend">
        <li>
          <Token text="deleted" fate="deleted" /> taken away
        </li>
        <li>
          <Token text="gap" fate="masked" /> opened
        </li>
        <li>
          <Token text="new" fate="new" /> filled in
        </li>
        <li>
          <Token text="kept" fate="kept" /> stays
        </li>
      </ul>
      <ol class="ft-rounds">
        {editSteps(trace).map(({ atMs: endMs, what, tokens }, index) => {
          const hidden = endMs > atMs;
          return (
            <li key={index} class={hidden ? 'ft-later' : undefined}>
              <span class="ft-round-name">{what}</span>
              <span class="ft-round-tokens">
                <Tokens tokens={tokens.map(({ text, state, logProb }) => ({ text, fate: state, logProb, hidden }))} />
              </span>
            </li>
          );
        })}
      </ol>
    </>
  );
}

export const editsView: View = {
  id: 'edits',
  title: 'Edits',
  about:
    'A Levenshtein model writes as an editor does: it deletes words, opens gaps between the others, and fills the gaps, everywhere at once. It repeats this until it has nothing left to change.',
  shows: (trace) => revisionsOf(trace).some(({ origins }) => origins !== undefined),
  Picture,
};
