import { ForetokenError } from '@foretoken/core';
import {
  callback,
  checkOptions,
  fields,
  flag,
  immediate,
  type OptionReader,
  type OptionTable,
  path,
  signal as readSignal,
  text,
  wrongValue,
} from '@foretoken/core/kit';
import type { HubPrecision } from './export-graphs.js';
import type { HubChoice } from './needed-files.js';

/** How far a download is, over all files that are needed. */
export interface HubProgress {
  /** The file that bytes came of. */
  readonly file: string;
  /** Bytes of all files that are there. */
  readonly bytes: number;
  /** Bytes of all files that are needed, as far as is known: once graphs are there, files may be added that they keep weights in. */
  readonly totalBytes: number;
}

/** Options of a download. */
export interface HubOptions extends HubChoice {
  /** Address of the hub or of a mirror (default: environment variable HF_ENDPOINT, else https://huggingface.co). */
  readonly endpoint?: string | undefined;
  /** Folder that downloads are kept in (default: FORETOKEN_CACHE, else `foretoken` in the system's folder of caches). */
  readonly cacheFolder?: string | undefined;
  /** Token for private and gated repositories (default: HF_TOKEN). It is sent to `endpoint` only. */
  readonly token?: string | undefined;
  /** Take what was kept and ask nobody (default: whether HF_HUB_OFFLINE is 1). */
  readonly offline?: boolean | undefined;
  /** Stops the download; what came is kept, and the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Is told whenever bytes came. */
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

/** Names that become parts of file names. */
const plainName =
  (pattern: RegExp, required: string): OptionReader<string> =>
  (name, value) => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw wrongValue(name, value, required);
  };
const precision = plainName(/^[a-z0-9]{1,16}$/, 'a precision such as fp32 or q8');
const precisions = fields<{ encoder: string; decoder: string }>({ encoder: precision, decoder: precision }, [
  'encoder',
  'decoder',
]);

const OPTIONS: OptionTable<HubOptions> = {
  precision: (name, value) => (typeof value === 'object' ? precisions(name, value) : precision(name, value)),
  quantisation: plainName(/^[A-Za-z]{1,4}\d+(_[A-Za-z0-9]+)*$/, 'a quantisation such as Q4_K_M or F16'),
  endpoint: text,
  cacheFolder: path,
  token: text,
  offline: flag,
  signal: readSignal,
  onProgress: callback(immediate),
};

/** Reads the options of a download. Throws `INVALID_ARGUMENT`. */
export function readHubOptions(options: HubOptions): HubOptions {
  const read = checkOptions('fetchFromHub', options, OPTIONS);
  refuseBoth(read.precision, read.quantisation);
  return read;
}

/** Where the hub is, and who asks: what is given, else what the environment says. Throws `INVALID_ARGUMENT`. */
export function readHost(
  { endpoint, token }: Pick<HubOptions, 'endpoint' | 'token'>,
  { HF_ENDPOINT, HF_TOKEN }: NodeJS.ProcessEnv,
): { readonly endpoint: string; readonly token: string | undefined } {
  return {
    endpoint: readEndpoint(endpoint ?? (HF_ENDPOINT || 'https://huggingface.co')),
    token: readToken(token ?? (HF_TOKEN || undefined)),
  };
}

function readEndpoint(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // Messages name the endpoint.
  if (url !== undefined && url.username + url.password !== '') {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'endpoint (or HF_ENDPOINT) must be an address without a user name and a password. Give a token as token, or in HF_TOKEN.',
      { option: 'endpoint', required: 'an address without a user name and a password' },
    );
  }
  if (url !== undefined && /^https?:$/.test(url.protocol)) return value.replace(/(?<!\/)\/+$/, '');
  throw wrongValue('endpoint (or HF_ENDPOINT)', value, 'an address such as https://huggingface.co');
}

/** A token goes into a header, and never into a message. */
function readToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    'token (or HF_TOKEN) must be letters, digits and signs of ASCII without blanks, but it holds others. Copy it again.',
    { option: 'token', required: 'printable ASCII without blanks' },
  );
}

function refuseBoth(precision: HubPrecision | undefined, quantisation: string | undefined): void {
  if (precision === undefined || quantisation === undefined) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    'precision chooses graphs of an ONNX export, and quantisation a GGUF file. Leave out one of them.',
    { option: 'quantisation', received: quantisation, precision },
  );
}
