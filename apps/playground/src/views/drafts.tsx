import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { type Round, roundsOf } from '../trace/steps.js';
import { tokenText } from '../trace/trace.js';
import { Mark } from './figure.js';
import { Token, type TokenProps, Tokens } from './token.js';
import type { View, ViewProps } from './view.js';

function Picture({ trace, atMs }: ViewProps): JSX.Element {
  return (
    <>
      <ul class="ft-legend" aria-label="Legend">
        <li>
          <Token text="accepted" fate="accepted" /> the model agreed
        </li>
        <li>
          <Token text="rejected" fate="rejected" /> it did not, and what follows falls too
        </li>
        <li>
          <Token text="corrected" fate="corrected" /> what it said instead
        </li>
        <li>
          <Token text="bonus" fate="bonus" /> one more, for free
        </li>
      </ul>
      <ol class="ft-rounds">
        {roundsOf(trace).map((round) => (
          <RoundRow key={round.round} round={round} trace={trace} shown={round.atMs <= atMs} />
        ))}
      </ol>
    </>
  );
}

interface RoundRowProps {
  readonly round: Round;
  readonly trace: Trace;
  readonly shown: boolean;
}

function RoundRow({ round, trace, shown }: RoundRowProps): JSX.Element {
  const { accepted, draft, own } = round;
  const text = (tokenId: number): string => tokenText(trace, tokenId);
  // What was accepted, then the target's own token, then what fell: the first two are the output.
  const kept = draft.filter(({ fate }) => fate === 'accepted');
  const fallen = draft.filter(({ fate }) => fate === 'rejected');
  return (
    <li class={shown ? undefined : 'ft-later'}>
      <span class="ft-round-name">Round {round.round + 1}</span>
      <span class="ft-round-tokens">
        <Tokens
          tokens={[
            ...kept.map(({ tokenId }): TokenProps => ({ text: text(tokenId), fate: 'accepted', hidden: !shown })),
            ...(own === undefined ? [] : [{ text: text(own.tokenId), fate: own.fate, hidden: !shown }]),
            ...fallen.map(({ tokenId }): TokenProps => ({ text: text(tokenId), fate: 'rejected', hidden: !shown })),
          ]}
        />
      </span>
      <span class="ft-round-count">
        {draft.length === 0 ? 'no draft' : `${accepted} of ${draft.length} accepted `}
        {draft.length > 0 && <Mark kind="measured" />}
      </span>
    </li>
  );
}

export const drafts: View = {
  id: 'drafts',
  title: 'Drafts, round by round',
  about:
    'A cheap drafter guesses the next words, and the model checks all of them in one step instead of writing them one by one. It keeps the guesses it agrees with and adds one word of its own, so the text is exactly what it would have written alone.',
  shows: ({ events }) => events.some(({ type }) => type === 'draft-end'),
  Picture,
};
