import { largest } from '@foretoken/core/kit';
import type { CommandContext } from '../command.js';
import { write } from '../io.js';
import { LiveRegion } from '../terminal/live-region.js';
import { safeText } from '../terminal/style.js';
import { type Lane, renderLane, renderResult, tokensAt } from './lanes.js';

const FRAME_MS = 33;
/** How long one sentence is shown racing, and all of them together. */
const SENTENCE_MS = 900;
const RACE_MS = 12_000;

/** Shows a race on standard error while it runs. Whoever opens it restores it on every path. */
export interface Screen {
  /** The sentence is being measured. */
  begin(source: string): Promise<void>;
  /** The sentence was measured. */
  finish(source: string, lanes: readonly Lane[]): Promise<void>;
  restore(): void;
}

export function openScreen(context: CommandContext, sentences: number): Screen {
  if (context.options.flag('quiet')) return { async begin() {}, async finish() {}, restore() {} };
  return context.style.stderr.escapes ? new LiveScreen(context, sentences) : new PlainScreen(context, sentences);
}

/** Plain lines, for logs and pipes. */
class PlainScreen implements Screen {
  readonly #context: CommandContext;
  readonly #sentences: number;
  #count = 0;

  constructor(context: CommandContext, sentences: number) {
    this.#context = context;
    this.#sentences = sentences;
  }

  async begin(): Promise<void> {}

  async finish(source: string, lanes: readonly Lane[]): Promise<void> {
    const { io, style } = this.#context;
    const legend =
      this.#count === 0 && hasDrafts(lanes) ? `${style.stderr.accepted('accepted from the draft')}\n\n` : '';
    const lines = results(`${++this.#count}/${this.#sentences}`, source, lanes, this.#context);
    await write(io.stderr, `${legend}${lines.map((line) => `${line}\n`).join('')}\n`);
  }

  restore(): void {}
}

/**
 * Lanes growing side by side, each sentence as it just went, slowed down: drawing while measuring would change the
 * times, and a sentence is over in a few milliseconds.
 */
class LiveScreen implements Screen {
  readonly #context: CommandContext;
  readonly #sentences: number;
  readonly #region: LiveRegion;
  #count = 0;

  constructor(context: CommandContext, sentences: number) {
    this.#context = context;
    this.#sentences = sentences;
    this.#region = new LiveRegion(context.io.stderr);
  }

  async begin(source: string): Promise<void> {
    this.#count++;
    this.#region.draw([this.#heading(source), this.#context.style.stderr.faint('  decoding...')]);
  }

  async finish(source: string, lanes: readonly Lane[]): Promise<void> {
    const { io, services, style } = this.#context;
    const width = nameWidth(lanes);
    const slowest = largest(lanes.map(({ milliseconds }) => milliseconds));
    const shownMs = Math.min(SENTENCE_MS, RACE_MS / this.#sentences);
    const frames = Math.floor(shownMs / FRAME_MS);
    for (let frame = 1; frame <= frames; frame++) {
      const atMs = (slowest * frame) / frames;
      const lines = lanes.map((lane) =>
        atMs < lane.milliseconds
          ? renderLane(lane, tokensAt(lane, atMs), width, style.stderr)
          : renderResult(lane, width, style.stderr),
      );
      this.#region.draw([this.#heading(source), ...lines, '', this.#legend(lanes, slowest, shownMs)]);
      await services.sleep(FRAME_MS, io.signal);
    }
    const heading = `${this.#count}/${this.#sentences}`;
    this.#region.settle([...results(heading, source, lanes, this.#context), '']);
  }

  restore(): void {
    this.#region.restore();
  }

  #heading(source: string): string {
    return this.#context.style.stderr.heading(`${this.#count}/${this.#sentences}  ${safeText(source)}`);
  }

  #legend(lanes: readonly Lane[], slowest: number, shownMs: number): string {
    const { stderr } = this.#context.style;
    const speed = stderr.faint(`shown ${slower(shownMs / slowest)} than it ran`);
    return hasDrafts(lanes) ? `  ${stderr.accepted('accepted from the draft')}  ${speed}` : `  ${speed}`;
  }
}

function slower(factor: number): string {
  return factor >= 1 ? `${factor.toFixed(0)} times slower` : `${(1 / factor).toFixed(0)} times faster`;
}

function results(count: string, source: string, lanes: readonly Lane[], { style }: CommandContext): string[] {
  const heading = style.stderr.heading(`${count}  ${safeText(source)}`);
  return [heading, ...lanes.map((lane) => renderResult(lane, nameWidth(lanes), style.stderr))];
}

function nameWidth(lanes: readonly Lane[]): number {
  return largest(lanes.map(({ name }) => name.length));
}

function hasDrafts(lanes: readonly Lane[]): boolean {
  return lanes.some(({ name }) => name === 'speculative');
}
