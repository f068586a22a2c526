import { ForetokenError } from '../contract/errors.js';
import { wrongValue } from '../kit/checks.js';
import { nameHint } from '../kit/option-names.js';
import { fieldsOf, integer, listOf, type OptionReader, text } from '../kit/options.js';
import { thrownWords } from '../kit/show.js';
import type { OnnxRuntime } from './onnx-runtime.js';
import { assertRuntime, createSession } from './web-runtime.js';

/** Where ONNX Runtime computes, with settings of its own: `{ name: 'cuda', deviceId: 1 }`. */
export interface ExecutionProviderSettings {
  readonly name: string;
  /** Which device of that kind, from 0 on. */
  readonly deviceId?: number | undefined;
  readonly [setting: string]: unknown;
}

/** The name of an execution provider, such as `cpu`, `cuda` or `webgpu`, alone or with settings. */
export type ExecutionProvider = string | ExecutionProviderSettings;

/** What is used where nothing else is asked for. */
export const DEFAULT_PROVIDERS: readonly ExecutionProvider[] = ['cpu'];

const providerName: OptionReader<string> = (name, value) => {
  if (text(name, value).length > 0) return value as string;
  throw wrongValue(name, value, 'the name of an execution provider');
};

const provider: OptionReader<ExecutionProvider> = (name, value) => {
  if (typeof value === 'string') return providerName(name, value);
  const given = fieldsOf(name, value, 'the name of an execution provider, or an object with its name and settings');
  const settings = {
    ...(Object.fromEntries(given) as Readonly<Record<string, unknown>>),
    name: providerName(`${name}.name`, given.get('name')),
  };
  const device = given.get('deviceId');
  if (device !== undefined) integer(0)(`${name}.deviceId`, device);
  return settings;
};

/** Reads the option `executionProviders`, copied: one provider or more, the wanted first. */
export const executionProviders: OptionReader<readonly ExecutionProvider[]> = listOf(provider, 1);

/** The smallest graph there is, y = Identity(x), serialised: what opens it can open others. */
const IDENTITY: Uint8Array = Uint8Array.from(
  atob('CAhCBAoAEA06NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAE='),
  (letter) => letter.charCodeAt(0),
);

/** Names to try where a runtime does not say what it has. */
const COMMON = [
  { name: 'cpu', bundled: true },
  { name: 'wasm', bundled: true },
  { name: 'webgpu', bundled: true },
  { name: 'webnn', bundled: true },
];

/**
 * Throws `UNSUPPORTED_CAPABILITY`, naming those that are there, unless the runtime works with each of the providers on this
 * machine. ONNX Runtime itself would leave out what it does not have, and compute with the others.
 */
export async function assertProviders(runtime: OnnxRuntime, providers: readonly ExecutionProvider[]): Promise<void> {
  assertRuntime(runtime);
  for (const one of executionProviders('executionProviders', providers)) {
    const cause = await failureOf(runtime, one);
    if (cause === undefined) continue;
    const name = typeof one === 'string' ? one : one.name;
    const available = await availableProviders(runtime, name);
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `The execution provider ${name} is not available here; available: ${available.join(', ') || 'none'}.` +
        `${nameHint(name, available)} ONNX Runtime said: ${thrownWords(cause)}`,
      { option: 'executionProviders', received: one, available },
      { cause },
    );
  }
}

/** Names of the providers that come with the runtime and work on this machine. */
async function availableProviders(runtime: OnnxRuntime, but: string): Promise<string[]> {
  const available: string[] = [];
  const known: unknown = runtime.listSupportedBackends?.();
  for (const { name, bundled } of Array.isArray(known) ? (known as typeof COMMON) : COMMON) {
    if (bundled && name !== but && (await failureOf(runtime, name)) === undefined) available.push(name);
  }
  return available;
}

/** What goes wrong when a graph is opened with this provider alone; `undefined` where nothing does. */
async function failureOf(runtime: OnnxRuntime, one: ExecutionProvider): Promise<unknown> {
  try {
    const session = await createSession(runtime, IDENTITY, { executionProviders: [one] });
    await session.release();
    return undefined;
  } catch (error) {
    return error ?? new Error('no reason was given');
  }
}
