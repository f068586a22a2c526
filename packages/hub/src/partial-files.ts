import { createHash } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ownProcess, processState } from '@foretoken/core/node';
import type { HubFile } from './list-hub-files.js';

/** A part that was not written to for so long is of a run that was killed: a server that is silent is given up on much sooner. */
const ABANDONED_MS = 60 * 60 * 1000;

/** Where a run that was stopped leaves the part of a file that it has. */
export function keptPart(partial: string, { digest }: HubFile): string {
  return join(partial, `${digest.hex}.incomplete`);
}

/** A name for a part that this process alone writes, and that tells others whose it is. */
export async function ownPart(partial: string, { digest }: HubFile): Promise<string> {
  const { pid, started, ...machine } = await ownProcess();
  const mark = `${markOf(machine)}-${pid}-${started}`;
  return join(partial, `${digest.hex}.${mark}.${Math.random().toString(36).slice(2)}`);
}

/** Takes over what an earlier run left of the file. Renaming claims it: a second process finds none and begins its own. */
export async function claimPart(partial: string, file: HubFile, own: string): Promise<void> {
  for (const path of await leftParts(partial, [file])) {
    const isClaimed = await rename(path, own).then(always, never);
    if (isClaimed) return;
  }
}

/** Removes what earlier runs left of files that are whole by now; what cannot be removed stays. */
export async function removeLeftParts(partial: string, files: readonly HubFile[]): Promise<void> {
  for (const path of await leftParts(partial, files)) await rm(path, { recursive: true, force: true }).catch(never);
}

/** Parts of these files that nobody writes to any more, those that were left on purpose first. */
async function leftParts(partial: string, files: readonly HubFile[]): Promise<string[]> {
  const wanted = new Set(files.map(({ digest }) => digest.hex));
  const names = await readdir(partial).catch((): string[] => []);
  const own = await ownProcess();
  const left: string[] = [];
  for (const name of names) {
    const [hex, writer = ''] = name.split('.');
    if (!wanted.has(hex)) continue;
    const path = join(partial, name);
    if (writer === 'incomplete') left.unshift(path);
    else if ((await hasEnded(writer, own)) || (await isAbandoned(path))) left.push(path);
  }
  return left;
}

/** Whether the process that a part's name tells of has ended; false where that cannot be known. */
async function hasEnded(writer: string, { host, boot }: Machine): Promise<boolean> {
  const [mark, pid, started] = writer.split('-');
  if (mark !== markOf({ host, boot }) || started === undefined || !/^[1-9]\d{0,9}$/.test(pid ?? '')) return false;
  return (await processState({ host, boot, pid: Number(pid), started })) === 'ended';
}

/** A machine since its last start. */
interface Machine {
  readonly host: string;
  readonly boot: string;
}

/** The same for all processes that may know of one another. */
function markOf({ host, boot }: Machine): string {
  return createHash('sha256').update(`${host}\0${boot}`).digest('hex').slice(0, 12);
}

async function isAbandoned(path: string): Promise<boolean> {
  return stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs > ABANDONED_MS, never);
}

const always = (): boolean => true;
const never = (): boolean => false;
