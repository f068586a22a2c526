import { immediate, lengthOf, wrongValue } from '@foretoken/core/kit';
import { isObject } from '../folder/json.js';
import type { ModelManifest } from '../folder/manifest.js';
import type { ManifestClaims } from '../folder/manifest-agreement.js';
import type { ModelDescription, ModelFamily } from './family.js';

/** What a family says that a manifest names. Families may be of users: throws `INVALID_ARGUMENT` where that is no answer. */
export function claimsOf(family: Pick<ModelFamily, 'claims'>, manifest: ModelManifest): ManifestClaims {
  const fields = ['tokenIds', 'candidates', 'graphs', 'others'];
  return answer('claims', family.claims(manifest), fields, isObject);
}

/** How a family describes a folder. Throws as `claimsOf`. */
export function descriptionOf(family: Pick<ModelFamily, 'describe'>, manifest: ModelManifest): ModelDescription {
  const isList = (value: unknown): boolean => lengthOf(value) !== undefined;
  return answer('describe', family.describe(manifest), ['parts', 'outputs', 'facts'], isList);
}

function answer<Value>(method: string, value: Value, names: string[], isRight: (field: unknown) => boolean): Value {
  const name = `What family.${method} returns`;
  const given = immediate<unknown>(name, value);
  if (isObject(given) && names.every((field) => isRight(given[field]))) return value;
  throw wrongValue(name, value, `an object with ${names.join(', ')}`);
}
