import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { resultOf, tokenText } from '../trace/trace.js';
import { Figure } from './figure.js';
import { strategyLabel } from './labels.js';
import { percent, type TokenProps, Tokens, visible } from './token.js';
import type { View, ViewProps } from './view.js';

/** Where an output first differs from greedy decoding, and how close greedy's decision was there. */
export interface Divergence {
  /** The first token that differs; undefined where all are equal. */
  readonly position?: number | undefined;
  readonly greedyToken?: number | undefined;
  readonly token?: number | undefined;
  /** Natural-log probability of greedy's token over that of this output's, where that is among greedy's alternatives. */
  readonly margin?: number | undefined;
  /** The smallest margin between greedy's first and second choice, over the whole output. */
  readonly closest?: { readonly position: number; readonly margin: number } | undefined;
}

export function divergenceOf(trace: Trace, greedy: Trace): Divergence {
  const own = resultOf(trace).best.tokenIds;
  const { tokenIds, alternatives } = resultOf(greedy).best;
  const margins = (alternatives ?? []).map(({ logProbs }) => logProbs[0] - logProbs[1]);
  const narrowest = margins.reduce((found, margin, index) => (margin < margins[found] ? index : found), 0);
  const closest = margins.length === 0 ? undefined : { position: narrowest, margin: margins[narrowest] };
  const length = Math.max(own.length, tokenIds.length);
  const position = Array.from({ length }, (_, index) => index).find((index) => own[index] !== tokenIds[index]);
  if (position === undefined) return { closest };
  const there = alternatives?.[position];
  const rank = there === undefined ? -1 : there.tokenIds.indexOf(own[position] ?? -1);
  const margin = there === undefined || rank < 0 ? undefined : there.logProbs[0] - there.logProbs[rank];
  return { position, greedyToken: tokenIds[position], token: own[position], margin, closest };
}

/** A difference of natural-log probabilities, and what it means for the probabilities themselves. */
export function marginInWords(margin: number): string {
  const times = Math.exp(margin);
  return `${margin.toFixed(2)} (${times < 10 ? times.toFixed(1) : Math.round(times)} times as probable)`;
}

function Picture({ trace, traces }: ViewProps): JSX.Element {
  const greedy = traces.find(({ header }) => header.strategy === 'greedy') ?? trace;
  const found = divergenceOf(trace, greedy);
  const { position, closest, margin, greedyToken, token } = found;
  const line = (of: Trace): JSX.Element => (
    <li>
      <span class="ft-round-name">{strategyLabel(of)}</span>
      <span class="ft-round-tokens">
        <Tokens
          tokens={Array.from(resultOf(of).best.tokenIds, (tokenId, index): TokenProps => {
            if (index !== position) return { text: tokenText(of, tokenId), fate: 'own' };
            return { text: tokenText(of, tokenId), fate: of === greedy ? 'accepted' : 'corrected' };
          })}
        />
      </span>
    </li>
  );
  return (
    <div class="ft-divergence">
      <ol class="ft-rounds">
        {line(greedy)}
        {line(trace)}
      </ol>
      <dl class="ft-figures">
        <Figure
          label="First difference"
          value={position === undefined ? 'none: equal, token for token' : `token ${position + 1}`}
          kind="derived"
          how="The two outputs compared, token by token."
        />
        {position !== undefined && (
          <Figure
            label="There"
            value={`${greedyToken === undefined ? 'the end' : visible(tokenText(greedy, greedyToken))} or ${token === undefined ? 'the end' : visible(tokenText(trace, token))}`}
            kind="measured"
            how="What greedy decoding and this strategy say at the first difference."
          />
        )}
        {position !== undefined && (
          <Figure
            label="Margin there"
            value={margin === undefined ? 'not among the best' : marginInWords(margin)}
            kind="derived"
            how="Natural-log probability of greedy's token less that of the other, under the model that decodes token by token."
          />
        )}
        {closest !== undefined && (
          <Figure
            label="Closest decision"
            value={`${marginInWords(closest.margin)}, at token ${closest.position + 1}`}
            kind="derived"
            how={`The least margin between greedy's first and second choice: ${percent(-closest.margin)} as probable. Where it is nearly 0, rounding may decide.`}
          />
        )}
      </dl>
    </div>
  );
}

export const divergenceView: View = {
  id: 'divergence',
  title: 'Against greedy',
  about:
    'Greedy decoding takes the most probable next word, always, and is what the others are compared with. Speculative decoding must say the same, word for word; the others may differ, and the margin tells how close the decision was.',
  shows: ({ header }, traces) =>
    header.strategy !== 'greedy' && traces.some((other) => other.header.strategy === 'greedy'),
  Picture,
};
