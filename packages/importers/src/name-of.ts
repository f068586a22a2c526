import { basename, resolve } from 'node:path';
import { isHubLocation } from '@foretoken/models/internal';

/** The name that a model gets: that of its folder or file; of a location on the hub the repository's. */
export function nameOf(location: string): string {
  return isHubLocation(location)
    ? basename(location.slice('hub:'.length).split('@')[0])
    : basename(resolve(location)).replace(/\.gguf$/i, '');
}
