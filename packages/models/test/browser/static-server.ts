import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** A server of folders by the path they are mounted at; `isolated` serves pages that may have threads. */
export class StaticServer {
  readonly requests: string[] = [];
  /** Paths that are answered by this page instead, as servers of single-page applications do. */
  readonly pages = new Map<string, string>();
  readonly #server: Server;

  private constructor(mounts: Readonly<Record<string, string>>, isolated: boolean) {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://host');
      this.requests.push(pathname);
      const headers = isolated ? ISOLATED : {};
      const page = this.pages.get(pathname);
      if (page !== undefined) return void response.writeHead(200, { 'content-type': 'text/html' }).end(page);
      const mount = Object.keys(mounts).find((path) => pathname.startsWith(path));
      const name = pathname.slice(mount?.length ?? 0) || 'index.html';
      const file = mount === undefined || name.includes('..') ? undefined : join(mounts[mount], name);
      if (file === undefined || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
        return void response.writeHead(404).end();
      }
      response.writeHead(200, { ...headers, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
      createReadStream(file).pipe(response);
    });
  }

  static async open(mounts: Readonly<Record<string, string>>, isolated = false): Promise<StaticServer> {
    const server = new StaticServer(mounts, isolated);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
