import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { importModel } from '@foretoken/importers';
import { afterAll, beforeAll } from 'vitest';
import { temporaryFolder } from './folder-fixtures.js';
import { TINY, writeTinyMarian } from './tiny-marian.js';

/** All files of a folder by their names. */
export async function contentOf(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), new Uint8Array(await readFile(path)));
  }
  return files;
}

export type Answer = {
  readonly status?: number;
  readonly body?: Uint8Array | string;
  readonly cut?: boolean;
  readonly never?: boolean;
};

/** A server of files in memory, which answers some of them in its own way. */
class FileServer {
  readonly files: Map<string, Uint8Array>;
  readonly answers = new Map<string, Answer>();
  readonly requests: string[] = [];
  readonly #server: Server;
  url = '';

  constructor(files: Map<string, Uint8Array>) {
    this.files = files;
    this.#server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? '/', 'http://host');
      const name = pathname.replace(/^\/models\/tiny\//, '');
      this.requests.push(name + search);
      const { status = 200, body = this.files.get(name), cut, never } = this.answers.get(name) ?? {};
      if (never) return;
      if (body === undefined) return void response.writeHead(404).end('nothing here');
      if (!cut) return void response.writeHead(status).end(body);
      response.writeHead(status, { 'content-length': body.length });
      response.write(body.slice(0, body.length / 2), () => response.destroy());
    });
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/models/tiny`;
    return this;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export let tiny: string;
export let files: Map<string, Uint8Array>;
export let fileCount: number;

const servers: FileServer[] = [];

beforeAll(async () => {
  tiny = join(await temporaryFolder(), 'model');
  await importModel(await writeTinyMarian(TINY, 1), tiny, { weights: 'float32' });
  files = await contentOf(tiny);
  fileCount = files.size;
});

afterAll(() => {
  for (const server of servers) server.close();
});

export async function serve(): Promise<FileServer> {
  const server = await new FileServer(new Map(files)).open();
  servers.push(server);
  return server;
}
