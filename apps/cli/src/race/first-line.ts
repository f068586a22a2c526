import type { CommandContext } from '../command.js';
import type { InputLine } from '../lines.js';

type Lines = AsyncGenerator<InputLine, void, undefined>;

/** The first line; gives up after `patience` milliseconds, where given. */
export async function firstLine(
  lines: Lines,
  patience: number | undefined,
  { services, io }: CommandContext,
): Promise<IteratorResult<InputLine, void> | 'nothing yet'> {
  const first = lines.next();
  if (patience === undefined) return first;
  const arrived = new AbortController();
  const timeout = services.sleep(patience, AbortSignal.any([io.signal, arrived.signal])).then(
    () => 'nothing yet' as const,
    () => first,
  );
  // Given up on, it may still fail when the stream is closed.
  first.catch(() => undefined);
  try {
    return await Promise.race([first, timeout]);
  } finally {
    arrived.abort();
  }
}
