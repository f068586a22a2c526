import { flag, type OptionTable, signal, text } from '@foretoken/core/kit';
import type { ManifestContent } from '@foretoken/models/internal';

/** What every importer can be told of the model folder that it makes. */
export interface TargetOptions {
  /** Name in the manifest; default: that of what is imported. */
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Licence of the weights, in words or as an SPDX expression. */
  readonly licence?: string | undefined;
  /** Replace an existing target folder (default: refuse). */
  readonly replace?: boolean | undefined;
  /** Looked at between steps; once the model is in place it has no effect any more. */
  readonly signal?: AbortSignal | undefined;
}

export const TARGET_OPTIONS: OptionTable<TargetOptions> = {
  name: text,
  description: text,
  licence: text,
  replace: flag,
  signal,
};

/** The part of a manifest that all models have in common. */
export function heading({
  name,
  description = '',
  licence = 'unknown',
}: TargetOptions & { readonly name: string }): Pick<
  ManifestContent,
  'format' | 'formatVersion' | 'name' | 'description' | 'licence'
> {
  return { format: 'foretoken-model', formatVersion: 1, name, description, licence };
}
