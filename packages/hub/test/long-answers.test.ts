import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { fetchFromHub } from '../src/index.js';
import { open, options, refusal, server } from './hub-folder.js';

const FILES = { 'config.json': '{}', 'tokenizer.json': '{}' };
const isList = ({ url = '' }: IncomingMessage): boolean => url.includes('/tree/');

describe('a server that', () => {
  test.each([
    ['a list', isList],
    ['what a revision is', ({ url = '' }: IncomingMessage): boolean => url.includes('/revision/')],
  ])('answers without end, asked for %s, is not listened to without end', async (_, wanted) => {
    await open(FILES);
    let sent = 0;
    server.instead = (request, response) => {
      if (!wanted(request)) return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      const piece = Buffer.alloc(2 ** 20, ' ');
      const more = (): void => {
        // What is not listened to any longer is closed.
        while (!response.destroyed && sent < 200) {
          sent++;
          if (!response.write(piece)) return void response.once('drain', more);
        }
        response.end('[]');
      };
      more();
      return true;
    };
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { reason: 'answer' } });
    expect(error.message).toContain('longer than 16777216 bytes');
    expect(sent).toBeLessThan(60);
  });

  test('gives a list of many long pages is not listened to without end', async () => {
    await open(FILES);
    const page = `${' '.repeat(2 ** 20)}[]`;
    server.instead = (request, response) => {
      if (!isList(request)) return false;
      response.writeHead(200, { link: `<${options().endpoint}${request.url}>; rel="next"` });
      response.end(page);
      return true;
    };
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { reason: 'answer' } });
    expect(server.requests.length).toBeLessThan(20);
  });
});
