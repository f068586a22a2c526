import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { integer, text } from '../kit/options.js';
import { readingOf } from '../kit/typed-arrays.js';

/** What tells a process from all others, before it and after it, on any machine. */
export interface ProcessIdentity {
  /** Name of the machine. */
  readonly host: string;
  /** Of this start of the machine, where the system says it. */
  readonly boot: string;
  /** The system's number for it. */
  readonly pid: number;
  /** When the process began, where the system says it: process ids are used again. */
  readonly started: string;
}

/** The identity of this process. */
export async function ownProcess(): Promise<ProcessIdentity> {
  const { pid } = process;
  return { host: hostname(), boot: await bootId(), pid, started: (await readProcess(pid))?.started ?? '' };
}

/** Whether a process is at work still; of one on another machine that cannot be known. */
export async function processState(identity: ProcessIdentity): Promise<'at work' | 'ended' | 'unknown'> {
  const { host, boot, pid, started } = readingOf('identity', identity, 'what tells a process from others', () => ({
    host: text('host', identity.host),
    boot: text('boot', identity.boot),
    pid: integer(1)('pid', identity.pid),
    started: text('started', identity.started),
  }));
  if (host !== hostname()) return 'unknown';
  if (boot !== (await bootId())) return 'ended';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'ended';
  }
  const found = await readProcess(pid);
  return found !== undefined && (found.zombie || found.started !== started) ? 'ended' : 'at work';
}

async function bootId(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}

/** A process as Linux describes it; undefined on other systems, and where there is none. */
async function readProcess(pid: number): Promise<{ readonly zombie: boolean; readonly started: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { zombie: fields[0] === 'Z' || fields[0] === 'X', started: fields[19] ?? '' };
}
