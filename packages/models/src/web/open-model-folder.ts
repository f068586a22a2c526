import { wrongValue } from '@foretoken/core/kit';
import type { ExportPrecisions } from '../folder/export-precisions.js';
import type { ModelFolder } from '../folder/model-folder.js';
import { openFolder } from '../folder/read-folder.js';
import { fetchFolder } from '../io/fetch.js';
import type { ModelIo } from '../io/model-io.js';
import { isModelIo, type ModelLocation } from '../platform.js';

/**
 * Opens a model folder as untrusted input: the manifest first, then every file's size and digest, before any parser but that of the
 * manifest sees a byte.
 *
 * A folder of an exporter has no manifest: what it would say is made of its graphs and configs; `precision` says which graphs, as the
 * option of `loadModel` does.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, `NETWORK_FAILURE`, or the signal's reason.
 */
export async function openModelFolder(
  location: ModelLocation,
  signal?: AbortSignal,
  precision?: ExportPrecisions,
): Promise<ModelFolder> {
  signal?.throwIfAborted();
  return openFolder(locate(location), { signal, precision });
}

/** What reads a location; URLs may be relative to the page. Throws `INVALID_ARGUMENT`. */
export function locate(location: ModelLocation): ModelIo {
  if (isModelIo(location)) return location;
  const { document, location: at } = globalThis as Page;
  const base = document?.baseURI ?? at?.href;
  if ((typeof location === 'string' && location !== '') || location instanceof URL) {
    let url: URL | undefined;
    try {
      url = new URL(location, base);
    } catch {
      url = undefined;
    }
    if (url !== undefined) return fetchFolder(url);
  }
  throw wrongValue(
    'The location of a model',
    location,
    'the URL of its folder, fetchFolder(url) or memoryFolder(files)',
  );
}

/** What a page or a worker knows of its address. */
interface Page {
  readonly document?: { readonly baseURI?: string | undefined } | undefined;
  readonly location?: { readonly href?: string | undefined } | undefined;
}
