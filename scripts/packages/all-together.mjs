import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { build } from 'vite';
import { freshProject } from './fresh-project.mjs';

/** Installs all packages into one project, and does there what the READMEs say: programs, types, command line, browser. */
export async function allTogether(report, root, work, packages) {
  const peers = Object.assign({}, ...packages.map(({ manifest, folder }) => thirdPartyPeers(manifest, folder)));
  const tools = {
    typescript: '.',
    ai: '.',
    '@langchain/core': '.',
    '@opentelemetry/api': '.',
    vitest: '.',
    '@types/node': '.',
    'onnxruntime-node': '.',
    'onnxruntime-web': '.',
  };
  const folder = freshProject(report, root, work, 'everything', packages, { ...peers, ...tools });
  const snippets = [
    ...snippetsOf(join(root, 'README.md'), 'README'),
    ...packages.flatMap(({ manifest, unpacked }) => snippetsOf(join(unpacked, 'README.md'), manifest.name.slice(11))),
  ];
  if (snippets.length < 20) report.checked('snippets of the READMEs', [`only ${snippets.length} were found`]);
  mkdirSync(join(folder, 'snippets'));
  for (const { name, code } of snippets) {
    writeFileSync(join(folder, 'snippets', `${name}.ts`), `${code}\nexport {};\n`);
    writeFileSync(join(folder, 'snippets', `${name}.mjs`), ts.transpileModule(code, MODULE).outputText);
  }
  const advised = advisedOptions(root);
  for (const [kind, module] of [
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ]) {
    const file = `tsconfig.${kind}.json`;
    const compilerOptions = { ...advised, module, moduleResolution: kind };
    writeFileSync(join(folder, file), JSON.stringify({ compilerOptions, include: ['snippets/*.ts'] }));
    report.step(
      `everything: types of the READMEs, ${kind}`,
      folder,
      process.execPath,
      'node_modules/typescript/bin/tsc',
      '-p',
      file,
    );
  }
  for (const { name, runs } of snippets) {
    if (runs) report.step(`everything: program ${name}`, folder, process.execPath, join('snippets', `${name}.mjs`));
  }
  commandLine(report, folder);
  await forBrowsers(report, folder);
}

const MODULE = { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } };

/** The options that the quick start tells users of TypeScript to take. */
function advisedOptions(root) {
  const page = readFileSync(join(root, 'docs/guide/quick-start.md'), 'utf8');
  const [, json] = /^```json\n([\s\S]*?)^```$/m.exec(page) ?? [];
  return JSON.parse(json).compilerOptions;
}

function thirdPartyPeers({ peerDependencies = {} }, source) {
  const others = Object.keys(peerDependencies).filter((peer) => !peer.startsWith('@foretoken/'));
  return Object.fromEntries(others.map((peer) => [peer, source]));
}

function snippetsOf(file, name) {
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```ts( no-run)?\n(.*?)^```$/gms)];
  return blocks.map(([, noRun, code], index) => {
    // Suites need a test runner; the tests of the docs run them.
    const runs = noRun === undefined && !code.includes("from 'vitest'");
    return { name: `${name}-${index + 1}`, code, runs };
  });
}

function commandLine(report, folder) {
  const command = 'node_modules/@foretoken/cli/dist/main.js';
  report.step('everything: foretoken --version', folder, process.execPath, command, '--version');
  const words = ['decode', '--text', 'A man is riding a bicycle.'];
  const output = report.step('everything: foretoken decode', folder, process.execPath, command, ...words);
  if (output !== undefined && !/\p{L}/u.test(output))
    report.checked('foretoken decode', [`it printed ${JSON.stringify(output)}`]);
}

/** Vite builds a page on the packages without configuration, and nothing of Node gets in. */
async function forBrowsers(report, folder) {
  const page = `import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
const model = await loadModel('/model/');
document.body.textContent = (await model.decode('A man is riding a bicycle.', greedy())).text;
`;
  writeFileSync(join(folder, 'page.js'), page);
  writeFileSync(join(folder, 'index.html'), '<!doctype html><body><script type="module" src="/page.js"></script>');
  const warnings = [];
  const outDir = join(folder, 'browser');
  try {
    await build({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir,
        target: 'es2022',
        minify: false,
        rollupOptions: { onwarn: (warning) => warnings.push(warning.message) },
      },
    });
    const scripts = readdirSync(outDir, { recursive: true }).filter((name) => /\.m?js$/.test(name));
    const ofNode = scripts.filter((name) =>
      /(from|import\()\s*["']node:/.test(readFileSync(join(outDir, name), 'utf8')),
    );
    const external = warnings.filter((message) => /externalized for browser/.test(message));
    const faults = [...ofNode.map((name) => `${relative(folder, name)} imports Node's modules`), ...external];
    report.checked('everything: Vite for browsers', scripts.length > 0 ? faults : ['it built nothing']);
  } catch (error) {
    report.checked('everything: Vite for browsers', [error.message]);
  }
}
