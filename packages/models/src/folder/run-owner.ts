import { randomUUID } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import { ownProcess, type ProcessIdentity, processState } from '@foretoken/core/node';
import { isObject } from './json.js';

/** Who writes a model folder, so that a later run can tell whether that run is still at work. */
export interface RunOwner extends ProcessIdentity {
  readonly thread: number;
  readonly run: string;
}

/** Runs of this process that have not ended. */
const running = new Set<string>();

/** An owner for a run that begins now. */
export async function beginRun(): Promise<RunOwner> {
  const owner = { ...(await ownProcess()), thread: threadId, run: randomUUID() };
  running.add(owner.run);
  return owner;
}

export function endRun(owner: RunOwner): void {
  running.delete(owner.run);
}

/** Whether a run is at work still; of a run on another machine that cannot be known. */
export async function stateOf(owner: RunOwner): Promise<'at work' | 'ended' | 'unknown'> {
  const state = await processState(owner);
  if (state !== 'at work' || owner.pid !== process.pid || owner.thread !== threadId) return state;
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
