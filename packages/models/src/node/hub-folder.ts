import { ForetokenError } from '@foretoken/core';
import type { ExportPrecisions } from '../folder/export-precisions.js';
import type { OpenFolderOptions, ReadProgress } from '../folder/model-folder.js';
import { reason } from '../folder/refusal.js';

/** What is used of `@foretoken/hub`. */
interface Hub {
  fetchFromHub(
    location: string,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly precision?: ExportPrecisions | undefined;
      readonly quantisation?: string | undefined;
      readonly onProgress?: ((progress: Omit<ReadProgress, 'cached'>) => void) | undefined;
    },
  ): Promise<{ readonly folder: string }>;
}

/** What of a model on the hub is wanted, and how it is fetched. */
export interface HubFolderOptions extends OpenFolderOptions {
  /** Of GGUF files: which of them, such as `Q4_K_M`. */
  readonly quantisation?: string | undefined;
}

/** Whether a location is one on the hub: `hub:owner/name[@revision]`. */
export function isHubLocation(location: unknown): location is string {
  return typeof location === 'string' && location.startsWith('hub:');
}

/**
 * Downloads a model of the hub, or finds it where it was kept; returns the folder it lies in. Throws `INVALID_ARGUMENT`,
 * `UNSUPPORTED_MODEL`, `NETWORK_FAILURE`, `RUNTIME_FAILURE` where `@foretoken/hub` is not installed, or the signal's reason.
 */
export async function hubFolder(location: string, options: HubFolderOptions = {}): Promise<string> {
  const { signal, onProgress, precision, quantisation } = options;
  let hub: Hub;
  try {
    // A variable asks TypeScript for no types of a package that need not be there.
    const name = '@foretoken/hub';
    hub = (await import(name)) as Hub;
  } catch (cause) {
    throw new ForetokenError(
      'RUNTIME_FAILURE',
      `${location} is on the hub, which needs @foretoken/hub: ${reason(cause)}. Run \`npm i @foretoken/hub\`.`,
      { location },
      { cause },
    );
  }
  const report = onProgress && ((progress: Omit<ReadProgress, 'cached'>) => onProgress({ ...progress, cached: false }));
  return (await hub.fetchFromHub(location, { signal, precision, quantisation, onProgress: report })).folder;
}
