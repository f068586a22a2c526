import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = 'c0ffee'.padEnd(40, '0');

/** A server that speaks the part of the hub's interface that is used here. */
export class HubServer {
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly range?: string | undefined;
    readonly token?: string | undefined;
  }[] = [];
  /** Files of every repository; those whose names end in .safetensors are said to be large. */
  readonly files: Map<string, Uint8Array>;
  /** Sends only so many bytes of a file and then waits, until `breakOff`. */
  cutAfter: number | undefined;
  /** Sends other bytes than it lists. */
  lies = false;
  /** Does not give parts of files. */
  whole = false;
  requiredToken: string | undefined;
  /** Answers in place of what is below, where it returns true. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  readonly #server: Server;
  readonly #held: ServerResponse[] = [];

  constructor(files: Readonly<Record<string, string | Uint8Array>>) {
    this.files = new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content as string)]));
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  breakOff(): void {
    for (const response of this.#held.splice(0)) response.destroy();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): unknown {
    const url = request.url ?? '';
    const { range, authorization } = request.headers;
    this.requests.push({
      method: request.method ?? '',
      url,
      range,
      token: authorization,
    });
    if (this.requiredToken !== undefined && authorization !== `Bearer ${this.requiredToken}`) {
      this.#status(response, 401);
      return;
    }
    if (this.instead?.(request, response)) return;
    const { pathname } = new URL(url, 'http://hub');
    if (/^\/api\/models\/owner\/name(\/revision\/main)?$/.test(pathname)) {
      this.#json(response, {
        _id: '1',
        id: 'owner/name',
        sha: COMMIT,
        private: false,
        gated: false,
        downloads: 0,
        likes: 0,
        lastModified: '2026-01-01',
      });
      return;
    }
    if (pathname === `/api/models/owner/name/tree/${COMMIT}`) {
      this.#json(
        response,
        [...this.files].map(([path, content]) => entry(path, content)),
      );
      return;
    }
    const path = decodeURIComponent(pathname.split(`/owner/name/resolve/${COMMIT}/`)[1] ?? '');
    const content = this.files.get(path);
    if (content === undefined) this.#status(response, 404);
    else this.#send(response, content, range);
  }

  #send(response: ServerResponse, content: Uint8Array, range: string | undefined): void {
    const from = this.whole ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = this.lies ? Uint8Array.from(content.subarray(from)).fill(7) : content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
    if (this.cutAfter === undefined || rest.length <= this.cutAfter) response.end(rest);
    else {
      this.#held.push(response);
      response.write(rest.subarray(0, this.cutAfter));
    }
  }

  #json(response: ServerResponse, content: unknown): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(content));
  }

  #status(response: ServerResponse, status: number): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: 'no' }));
  }
}

export function entry(path: string, content: Uint8Array): Record<string, unknown> {
  const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  const large = { oid: createHash('sha256').update(content).digest('hex'), size: content.length, pointerSize: 130 };
  return { type: 'file', path, size: content.length, oid, lfs: path.endsWith('.safetensors') ? large : undefined };
}
