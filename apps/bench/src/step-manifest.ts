import { ForetokenError } from '@foretoken/core';
import type { ModelFolder, ModelManifest } from '@foretoken/models';

/** What the benches of single graphs need to know: an encoder, a decoder's step graphs, and their shape. */
export interface StepManifest extends ModelManifest {
  readonly vocabulary: ModelManifest['vocabulary'] & { readonly startTokenId: number };
  readonly architecture: { readonly width: number; readonly heads: number; readonly decoderLayers: number };
  readonly graphs: {
    readonly encoder: string;
    readonly step: { readonly argmax: string; readonly topK?: string | undefined };
  };
}

/** The manifest of a folder with step graphs, of whatever family. Throws `UNSUPPORTED_CAPABILITY` for another. */
export function stepManifest({ path, manifest }: ModelFolder): StepManifest {
  if (hasSteps(manifest)) return manifest;
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `This bench needs an encoder and step graphs, but ${path} holds a model of the family ${manifest.family}, which has none.`,
    { folder: path, capability: 'an autoregressive model' },
  );
}

function hasSteps(manifest: ModelManifest): manifest is StepManifest {
  const { graphs, architecture, vocabulary } = manifest as Partial<StepManifest>;
  return (
    typeof graphs?.encoder === 'string' &&
    typeof graphs.step?.argmax === 'string' &&
    architecture?.decoderLayers !== undefined &&
    vocabulary?.startTokenId !== undefined
  );
}
