import type { Trace } from '@foretoken/streams';
import type { JSX } from 'preact';
import { revisionsOf } from '../trace/steps.js';
import { tokenText } from '../trace/trace.js';
import { Scroll } from './scroll.js';
import { percent, Token, visible } from './token.js';
import type { View, ViewProps } from './view.js';

/** A label that a frame may have. */
export interface FrameLabel {
  readonly text: string;
  readonly logProb: number;
}

/** What a frame says, best first, and which token of the output it belongs to. */
export interface Frame {
  readonly labels: readonly FrameLabel[];
  /** Place in the output; undefined where it says nothing. */
  readonly token?: number | undefined;
  /** Says the same as the frame before it, and is merged with it. */
  readonly repeats: boolean;
}

const BLANK = '∅';

/** The frames of a CTC decode, with the labels that the lattice tells. */
export function framesOf(trace: Trace): Frame[] {
  const found = revisionsOf(trace).find(({ lattice }) => lattice?.kind === 'ctc');
  const { alignment, lattice } = found ?? {};
  if (lattice?.kind !== 'ctc' || alignment === undefined) return [];
  return Array.from({ length: lattice.frames }, (_, frame) => {
    const labels = Array.from({ length: lattice.k }, (_, rank): FrameLabel => {
      const cell = frame * lattice.k + rank;
      const tokenId = lattice.tokenIds[cell];
      const text = tokenId === lattice.blankId ? BLANK : tokenText(trace, tokenId);
      return { text, logProb: lattice.logProbs[cell] };
    });
    const token = alignment.firstFrames.findIndex(
      (first, index) => first <= frame && frame <= alignment.lastFrames[index],
    );
    return {
      labels,
      token: token < 0 ? undefined : token,
      repeats: token >= 0 && alignment.firstFrames[token] < frame,
    };
  });
}

function Picture({ trace, atMs }: ViewProps): JSX.Element {
  const frames = framesOf(trace);
  const [revision] = revisionsOf(trace);
  const shown = (revision?.atMs ?? 0) <= atMs;
  const ranks = frames[0]?.labels.length ?? 0;
  return (
    <div class={shown ? undefined : 'ft-later'}>
      <Scroll label="Frames">
        <table class="ft-frames">
          <caption>The most probable on top</caption>
          <thead>
            <tr>
              <th scope="row">Frame</th>
              {frames.map((_, frame) => (
                <th key={frame} scope="col">
                  {frame + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: ranks }, (_, rank) => (
              <tr key={rank}>
                <th scope="row">{rank === 0 ? 'Says' : `Choice ${rank + 1}`}</th>
                {frames.map(({ labels }, frame) => (
                  <td key={frame} class={rank === 0 ? 'ft-says' : undefined} title={percent(labels[rank].logProb)}>
                    <span class="ft-heat" style={{ opacity: Math.exp(labels[rank].logProb).toFixed(3) }} />
                    <span class={labels[rank].text === BLANK ? 'ft-blank' : 'ft-label'}>
                      {visible(labels[rank].text)}
                    </span>
                  </td>
                ))}
              </tr>
            ))}
            <tr class="ft-collapse">
              <th scope="row">Collapsed</th>
              {collapsed(frames).map(({ frame, span, text }) => (
                <td key={frame} colSpan={span}>
                  {text !== undefined && <Token text={text} fate="accepted" hidden={!shown} />}
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}

/** Runs of frames that say one token, or nothing. */
export function collapsed(frames: readonly Frame[]): { frame: number; span: number; text: string | undefined }[] {
  const runs: { frame: number; span: number; text: string | undefined }[] = [];
  for (const [frame, { labels, token, repeats }] of frames.entries()) {
    const run = runs.at(-1);
    const silent = token === undefined;
    if (run !== undefined && (repeats || (silent && run.text === undefined))) run.span++;
    else runs.push({ frame, span: 1, text: silent ? undefined : labels[0].text });
  }
  return runs;
}

export const framesView: View = {
  id: 'frames',
  title: 'CTC frames',
  about:
    'The model looks at the whole input once and fills a row of frames, each with a piece of a word or with nothing (∅). Neighbours that say the same are merged and the empty frames dropped, and the sentence is there in a single step.',
  shows: (trace) => framesOf(trace).length > 0,
  Picture,
};
