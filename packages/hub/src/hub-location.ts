import { ForetokenError } from '@foretoken/core';
import { show } from '@foretoken/core/kit';

/** A repository of models on the hub, and what of its history. */
export interface HubLocation {
  /** Owner and name, as in `Helsinki-NLP/opus-mt-en-de`. */
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/** How git names a commit. */
export const COMMIT: RegExp = /^[0-9a-f]{40}$/;

const FORM = 'hub:owner/name, or hub:owner/name@revision';
const LOCATION = /^hub:([A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95})(?:@(.+))?$/s;
/** Names of branches and tags as git allows them: no blanks, and no signs that ask git for something else. */
const REVISION = /^(?![-./])(?!.*(?:\.\.|@\{|\/\/))[^\s\p{C}~^:?*[\]\\%"<>|]+(?<![./])$/u;
/** Longest revision, as a name of a file spells it. */
const MAX_REVISION = 200;

/** Reads `hub:owner/name[@revision]`; the revision is `main` where none is given. Throws `INVALID_ARGUMENT`. */
export function parseHubLocation(location: string): HubLocation {
  const [, repository, revision = 'main'] = (typeof location === 'string' && LOCATION.exec(location)) || [];
  const isRevision = REVISION.test(revision) && encodeURIComponent(revision).length <= MAX_REVISION;
  if (repository === undefined || /\.\.|--/.test(repository) || !isRevision) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `A model on the hub is named by ${FORM}, but not by ${show(location)}.`,
      {
        option: 'location',
        received: location,
        required: FORM,
      },
    );
  }
  return { repository, revision };
}
