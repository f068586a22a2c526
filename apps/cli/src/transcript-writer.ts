import type { SpeechSegment } from '@foretoken/models/speech';
import type { CommandContext } from './command.js';
import { write } from './io.js';
import { LiveRegion } from './terminal/live-region.js';
import { clock } from './terminal/progress.js';
import { oneLine, safeText } from './terminal/style.js';

/** What was said in one window of a recording. */
export interface Said {
  readonly text: string;
  readonly segments: readonly SpeechSegment[];
}

/** Writes a transcript while it grows, so that an interruption loses nothing, and says on a terminal how far it is. */
export class TranscriptWriter {
  readonly #context: CommandContext;
  readonly #recording: string;
  readonly #seconds: number;
  readonly #timestamps: boolean;
  readonly #region: LiveRegion | undefined;
  #begun = false;

  constructor(context: CommandContext, recording: string, seconds: number, timestamps: boolean) {
    const { io, options, style } = context;
    this.#context = context;
    this.#recording = recording;
    this.#seconds = seconds;
    this.#timestamps = timestamps;
    // A line of text that is still growing must have the terminal for itself.
    const free = timestamps || options.flag('json') || io.stdout.isTTY !== true;
    this.#region = free && style.stderr.escapes && !options.flag('quiet') ? new LiveRegion(io.stderr) : undefined;
  }

  /** Says that so many seconds are through. */
  show(seconds: number): void {
    this.#region?.draw([this.#progress(seconds)]);
  }

  async add({ text, segments }: Said): Promise<void> {
    const { io, options } = this.#context;
    if (options.flag('json')) return;
    this.#region?.draw([]);
    if (this.#timestamps) {
      for (const { begin, end, text: words } of segments) {
        const line = `[${begin.toFixed(2)} - ${end?.toFixed(2) ?? '?'}] ${words.trim()}`;
        await write(io.stdout, `${safeText(oneLine(line))}\n`);
      }
    } else if (text !== '') {
      await write(io.stdout, `${this.#begun ? ' ' : ''}${safeText(oneLine(text))}`);
      this.#begun = true;
    }
  }

  /** Ends the line of a transcript without timestamps, also of one in which nothing was said. */
  async end(): Promise<void> {
    const { io, options } = this.#context;
    if (!this.#timestamps && !options.flag('json')) await write(io.stdout, '\n');
  }

  /** Says where an interruption came; what was written stays. */
  async stop(seconds: number): Promise<void> {
    const { io } = this.#context;
    this.close();
    if (this.#begun) await write(io.stdout, '\n');
    const begin = io.stderr.isTTY === true && !this.#begun ? '\n' : '';
    await write(io.stderr, `${begin}Stopped after ${safeText(this.#progress(seconds))}.\n`);
  }

  close(): void {
    this.#region?.draw([]);
    this.#region?.restore();
  }

  #progress(seconds: number): string {
    return `${clock(Math.floor(seconds))} of ${clock(this.#seconds)} of ${this.#recording}`;
  }
}
