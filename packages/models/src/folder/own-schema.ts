import { fieldsOf } from '@foretoken/core/kit';
import * as v from 'valibot';
import type { ModelManifest } from './manifest.js';
import { content, heading, limits, optionalTokens, tokenId, tokenizer, vocabularySize } from './manifest-schema.js';

/** Schemas of the fields that a family adds to those of all manifests, and of `family`, its own name. */
export type OwnFields<Manifest extends ModelManifest> = {
  readonly [Field in Exclude<keyof Manifest, Exclude<keyof ModelManifest, 'family'>>]-?: v.GenericSchema<
    unknown,
    Manifest[Field]
  >;
};

/**
 * The schema of a family of one's own: fields that all manifests have are checked as everywhere, `own` says what the family adds, and
 * any other field is refused. The type says which fields `own` must have; the type of the manifest is to be given:
 * `manifestSchema<MyManifest>({ family: v.literal('mine'), table: v.string() })`, with schemas of valibot.
 *
 * Throws `INVALID_ARGUMENT` for what is no plain object.
 */
export function manifestSchema<Manifest extends ModelManifest>(
  own: OwnFields<Manifest>,
): v.GenericSchema<unknown, Manifest> {
  // Read once, and copied.
  const fields = Object.fromEntries(fieldsOf('manifestSchema', own)) as OwnFields<Manifest>;
  const schema: v.GenericSchema<unknown, object> = v.strictObject({
    ...heading,
    tokenizer: v.exactOptional(tokenizer),
    vocabulary: v.strictObject({ size: vocabularySize, endTokenId: v.exactOptional(tokenId), ...optionalTokens }),
    limits,
    ...fields,
    ...content,
  });
  // The fields that all have, and by its type every field that the family adds.
  return schema as v.GenericSchema<unknown, Manifest>;
}
