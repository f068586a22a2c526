import { vi } from 'vitest';

/** How often a computation lets others have their turn, where it is due at every look at the clock. */
export async function turnsOf(run: () => Promise<void>): Promise<number> {
  let clock = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    clock += 1000;
    return clock;
  });
  const turns = vi.spyOn(globalThis, 'setImmediate');
  try {
    await run();
    return turns.mock.calls.length;
  } finally {
    vi.restoreAllMocks();
  }
}
