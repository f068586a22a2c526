import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { isObject } from './json.js';
import { errorCode } from './refusal.js';

/** Who writes a model folder, so that a later run can tell whether that run is still at work. */
export interface RunOwner {
  readonly host: string;
  /** Of this start of the machine, where the system says it. */
  readonly boot: string;
  readonly pid: number;
  /** When the process began, where the system says it: process ids are used again. */
  readonly started: string;
  readonly thread: number;
  readonly run: string;
}

/** Runs of this process that have not ended. */
const running = new Set<string>();

/** An owner for a run that begins now. */
export async function beginRun(): Promise<RunOwner> {
  const owner = {
    host: hostname(),
    boot: await bootId(),
    pid: process.pid,
    started: (await readProcess(process.pid))?.started ?? '',
    thread: threadId,
    run: randomUUID(),
  };
  running.add(owner.run);
  return owner;
}

export function endRun(owner: RunOwner): void {
  running.delete(owner.run);
}

/** Whether a run is at work still; of a run on another machine that cannot be known. */
export async function stateOf(owner: RunOwner): Promise<'at work' | 'ended' | 'unknown'> {
  if (owner.host !== hostname()) return 'unknown';
  if (owner.boot !== (await bootId())) return 'ended';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return 'ended';
  }
  const found = await readProcess(owner.pid);
  if (found !== undefined && (found.zombie || found.started !== owner.started)) return 'ended';
  if (owner.pid !== process.pid || owner.thread !== threadId) return 'at work';
  return running.has(owner.run) ? 'at work' : 'ended';
}

/** What a file says of an owner; undefined where it says nothing usable. */
export function parseOwner(text: string): RunOwner | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { host, boot, pid, started, thread, run } = value;
  if (typeof host !== 'string' || typeof boot !== 'string' || typeof started !== 'string') return undefined;
  if (typeof run !== 'string' || typeof thread !== 'number') return undefined;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  return { host, boot, pid, started, thread, run };
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
