import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { picker } from './mutated-files.js';

/** Where the value of a single number lies behind its name: behind its rank (1 byte), its type (1) and its bytes (4). */
export const VALUE = 6;

/** A copy of a folder of CTranslate2, to be changed. */
export async function copyOf(source: string): Promise<string> {
  const folder = join(await temporaryFolder(), 'weights');
  await cp(source, folder, { recursive: true });
  return folder;
}

/** The folder with other bytes `after` bytes behind where a name of its model.bin ends. */
export async function edited(source: string, name: string, after: number, bytes: readonly number[]): Promise<string> {
  const folder = await copyOf(source);
  const content = await readFile(join(folder, 'model.bin'));
  const at = content.indexOf(`${name}\0`);
  expect(at, name).toBeGreaterThan(0);
  content.set(bytes, at + name.length + 1 + after);
  await writeFile(join(folder, 'model.bin'), content);
  return folder;
}

/** The folder with another content of one of its JSON files. */
export async function withJson(source: string, file: string, change: (content: never) => unknown): Promise<string> {
  const folder = await copyOf(source);
  const content = JSON.parse(await readFile(join(folder, file), 'utf8')) as never;
  await writeFile(join(folder, file), JSON.stringify(change(content)));
  return folder;
}

export const withConfig = (source: string, fields: object): Promise<string> =>
  withJson(source, 'config.json', (config) => ({ ...(config as object), ...fields }));

/** The folder whose model.bin has one more name for a variable. */
export async function withAlias(source: string, alias: string, variable: string): Promise<string> {
  const folder = await copyOf(source);
  const content = await readFile(join(folder, 'model.bin'));
  const named = (text: string): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(text.length + 1);
    return Buffer.concat([length, Buffer.from(`${text}\0`)]);
  };
  const at = aliasCountAt(content);
  content.writeUInt32LE(content.readUInt32LE(at) + 1, at);
  await writeFile(join(folder, 'model.bin'), Buffer.concat([content, named(alias), named(variable)]));
  return folder;
}

/** What model.bin holds of a variable; its values are as many bytes as there were, whatever shape is said. */
export interface StoredVariable {
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/** The folder with another variable in the place of one, or without it. */
export async function withVariable(
  source: string,
  name: string,
  change: (variable: StoredVariable) => StoredVariable | undefined,
): Promise<string> {
  const folder = await copyOf(source);
  const content = await readFile(join(folder, 'model.bin'));
  const at = content.indexOf(`${name}\0`);
  expect(at, name).toBeGreaterThan(0);
  const rankAt = at + name.length + 1;
  const rank = content[rankAt];
  const typeAt = rankAt + 1 + 4 * rank;
  const end = typeAt + 5 + content.readUInt32LE(typeAt + 1);
  const shape = Array.from({ length: rank }, (_, axis) => content.readUInt32LE(rankAt + 1 + 4 * axis));
  const changed = change({ shape, bytes: content.subarray(typeAt + 5, end) });
  const parts: Buffer[] = [content.subarray(0, at - 2)];
  if (changed === undefined) {
    const countAt = 4 + 2 + content.readUInt16LE(4) + 4;
    content.writeUInt32LE(content.readUInt32LE(countAt) - 1, countAt);
  } else {
    const head = Buffer.alloc(1 + 4 * changed.shape.length + 5);
    head[0] = changed.shape.length;
    for (const [axis, size] of changed.shape.entries()) head.writeUInt32LE(size, 1 + 4 * axis);
    head[head.length - 5] = content[typeAt];
    head.writeUInt32LE(changed.bytes.length, head.length - 4);
    parts.push(content.subarray(at - 2, rankAt), head, changed.bytes);
  }
  await writeFile(join(folder, 'model.bin'), Buffer.concat([...parts, content.subarray(end)]));
  return folder;
}

/** Where the number of aliases stands, behind the last variable. */
function aliasCountAt(content: Buffer): number {
  let at = 4;
  const skip = (): void => {
    at += 2 + content.readUInt16LE(at);
  };
  skip();
  at += 4;
  const count = content.readUInt32LE(at);
  at += 4;
  for (let index = 0; index < count; index++) {
    skip();
    at += 1 + 4 * content[at] + 1;
    at += 4 + content.readUInt32LE(at);
  }
  return at;
}

/** Contents like a good one but for a few bytes, most of them near one of some texts. */
export function mutator(good: Buffer, texts: readonly string[]): (seed: number) => Uint8Array {
  const places = texts.flatMap((text) => {
    const found: number[] = [];
    for (let at = good.indexOf(text); at >= 0; at = good.indexOf(text, at + 1)) found.push(at);
    return found;
  });
  return (seed) => {
    const pick = picker(seed);
    const content = Uint8Array.from(good);
    for (let change = pick(4); change >= 0; change--) {
      const near = places[pick(places.length)] + pick(50) - 10;
      const at = Math.max(0, Math.min(content.length - 1, pick(5) === 0 ? pick(content.length) : near));
      content[at] = pick(2) === 0 ? pick(256) : content[at] ^ (1 << pick(8));
    }
    return pick(6) === 0 ? content.subarray(0, pick(content.length)) : content;
  };
}
