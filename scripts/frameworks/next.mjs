import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expectPrinted, TRANSLATED } from './page.mjs';

const LAYOUT = `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`;
const CONFIG = 'next.config.mjs';
const FILES = [CONFIG, 'app/model.js', 'app/translate/route.js', 'app/page.js'];
const ENV = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };

/** The app of the page is built by Turbopack and by webpack, and served; then it is served without node_modules. */
export async function next({ page, place }) {
  const files = Object.fromEntries(FILES.map((name) => [name, page.file(name)]));
  // In the folder of the packages, which Next.js takes as the root.
  const cwd = place('.', { ...files, 'app/layout.js': LAYOUT });
  const command = join(cwd, 'node_modules/next/dist/bin/next');
  const build = (bundler) =>
    execFileSync(process.execPath, [command, 'build', bundler], { cwd, env: ENV, stdio: ['ignore', 'ignore', 'pipe'] });
  for (const bundler of ['--turbopack', '--webpack']) {
    build(bundler);
    await served(`Next.js, built with ${bundler}`, cwd, command, 'start');
  }
  writeFileSync(join(cwd, CONFIG), page.file('next.config.standalone.mjs'));
  build('--turbopack');
  const alone = join(cwd, '../alone');
  cpSync(join(cwd, '.next/standalone'), alone, { recursive: true, verbatimSymlinks: true });
  rmSync(join(cwd, 'node_modules'), { recursive: true });
  await served('Next.js, standalone', alone, 'server.js');
}

/** Starts a server, and reads its page and its stream. */
async function served(what, cwd, ...words) {
  const port = await freePort();
  const env = { ...ENV, PORT: String(port), HOSTNAME: '127.0.0.1' };
  const server = spawn(process.execPath, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    await Promise.race([ready(server), once(server, 'exit')]);
    const read = async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    expectPrinted(`${what}: page`, await read('/'));
    const stream = await read('/translate?text=A+man+is+riding+a+bicycle.');
    const pieces = [...stream.matchAll(/^data: (".*")$/gm)].map(([, json]) => JSON.parse(json));
    expectPrinted(`${what}: stream`, pieces.length > 1 ? pieces.join('') : stream, TRANSLATED);
  } finally {
    server.kill();
  }
}

/** Until a server says that it is ready. */
async function ready(server) {
  for await (const text of server.stdout) if (/Ready/.test(String(text))) return;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
