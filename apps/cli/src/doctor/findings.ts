import { type Installation, type Installed, MODEL_PACKAGES } from './installation.js';

/** One thing that was looked at. Only what is `missing` keeps the command from working. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'note';
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** Where `onnxruntime-node` brings its native part along. */
const BUILT_FOR = ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64'];

/** Judges an installation: what is there, what is missing, and how to get it. */
export function findingsOf(installation: Installation): Finding[] {
  return [nodeFinding(installation), runtimeFinding(installation), ...modelFindings(installation)];
}

function nodeFinding({ node }: Installation): Finding {
  const [major, minor] = node.replace(/^v/, '').split('.').map(Number);
  const ok = (major === 20 && minor >= 20) || (major === 22 && minor >= 13) || major >= 24;
  if (ok) return { name: 'Node.js', state: 'ok', found: node };
  return {
    name: 'Node.js',
    state: 'missing',
    found: node,
    remedy: 'Foretoken needs Node.js 20.20 or later, 22.13 or later, or 24 or later: https://nodejs.org.',
  };
}

function runtimeFinding({ runtime, backends, platform, arch, glibc }: Installation): Finding {
  const name = 'onnxruntime-node';
  if (runtime.problem === undefined) {
    return { name, state: 'ok', found: `${runtime.version}, built for ${backends.join(', ') || 'cpu'}` };
  }
  const found = [runtime.version, runtime.problem].filter((part) => part !== undefined).join(', ');
  return { name, state: 'missing', found, remedy: runtimeRemedy(runtime, platform, arch, glibc) };
}

function runtimeRemedy({ version }: Installed, platform: string, arch: string, glibc: string | undefined): string {
  if (!BUILT_FOR.includes(`${platform} ${arch}`)) {
    return `It has no native part for ${platform} ${arch}, only for ${BUILT_FOR.join(', ')}. Pass another runtime to loadModel, such as onnxruntime-web.`;
  }
  if (platform === 'linux' && glibc === undefined) {
    return 'It needs glibc, which this system lacks (Alpine, musl). Use an image with glibc, such as node:22-slim.';
  }
  // On Linux x64 its install script downloads CUDA libraries, and where it cannot, npm takes the package out again.
  const install =
    platform === 'linux' && arch === 'x64'
      ? 'ONNXRUNTIME_NODE_INSTALL=skip npm i onnxruntime-node (it then downloads no CUDA libraries, which are not needed)'
      : 'npm i onnxruntime-node';
  return version === undefined ? `Run: ${install}` : `Delete node_modules/onnxruntime-node, then run: ${install}`;
}

function modelFindings({ models }: Installation): Finding[] {
  const texts = {
    translation: ['missing', 'decode and race translate with it; or name another model with --model'],
    correction: ['note', 'foretoken correct needs it'],
  } as const;
  return (['translation', 'correction'] as const).map((task) => {
    const { version, problem } = models[task];
    const name = `model for ${task}`;
    if (problem === undefined) return { name, state: 'ok', found: `${MODEL_PACKAGES[task]} ${version}` };
    const [state, why] = texts[task];
    return { name, state, found: problem, remedy: `Run: npm i ${MODEL_PACKAGES[task]} (${why})` };
  });
}
