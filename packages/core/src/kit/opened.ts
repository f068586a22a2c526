import { ForetokenError } from '../contract/errors.js';
import { hasMethods } from './options.js';
import { show } from './show.js';

/** What a decode calls of what a model opened. */
const SESSIONS = {
  autoregressive: ['start', 'extend', 'retain', 'finish'],
  canvas: ['fill'],
  edit: ['deletions', 'placeholders', 'fill'],
} as const;

/** What a model opened. Throws `INVALID_ARGUMENT` where that is no session of its kind, so that nothing can be asked of it. */
export function opened<Session extends AsyncDisposable>(kind: keyof typeof SESSIONS, session: Session): Session {
  const methods = SESSIONS[kind];
  if (hasMethods(session, ...methods) && isDisposable(session)) return session;
  const required = [...methods.map((method) => `${method}()`), '[Symbol.asyncDispose]()'].join(', ');
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The ${kind} model opened ${show(session)}; an object with ${required} is required.`,
    { received: session, required },
  );
}

function isDisposable(value: AsyncDisposable): boolean {
  try {
    return typeof value[Symbol.asyncDispose] === 'function';
  } catch {
    return false;
  }
}
