import { Yielder } from '@foretoken/core/kit';
import { SteppingClock } from '@foretoken/testkit';
import { expect, it, vi } from 'vitest';

it('is due once enough time has gone by, and not again right after a turn', async () => {
  using clock = new SteppingClock(8);
  const yielder = new Yielder();
  expect([yielder.due(), yielder.due(), yielder.due()]).toEqual([false, false, true]);
  await yielder.yield();
  expect(yielder.due()).toBe(false);
  expect(clock.looks).toBe(6);
});

it('lets what waits in the event loop run before it goes on', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  await new Yielder().yield();
  order.push('decode');
  expect(order).toEqual(['other', 'decode']);
});

it('throws the reason of a signal that was aborted meanwhile', async () => {
  const controller = new AbortController();
  const yielder = new Yielder(controller.signal);
  setImmediate(() => controller.abort('stopped'));
  await expect(yielder.yield()).rejects.toBe('stopped');
});

it('runs steps to their end, yielding only where time is up', async () => {
  const turns = vi.spyOn(globalThis, 'setImmediate');
  const count = function* (): Generator<void, number> {
    for (let step = 0; step < 10; step++) yield;
    return 10;
  };
  using _clock = new SteppingClock(7);
  expect(await new Yielder().run(count())).toBe(10);
  // Time is up at every third look; a turn costs one look more.
  expect(turns).toHaveBeenCalledTimes(3);
  turns.mockRestore();
});

it('stops steps at the first turn after an abort', async () => {
  const controller = new AbortController();
  let steps = 0;
  const endless = function* (): Generator<void, never> {
    for (;;) {
      if (++steps === 3) setImmediate(() => controller.abort('stopped'));
      yield;
    }
  };
  using _clock = new SteppingClock(1_000);
  await expect(new Yielder(controller.signal).run(endless())).rejects.toBe('stopped');
  expect(steps).toBe(3);
});

it('works where there is no setImmediate', async () => {
  vi.stubGlobal('setImmediate', undefined);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort('stopped'), 0);
  const yielder = new Yielder(controller.signal);
  await expect(
    (async () => {
      for (;;) await yielder.yield();
    })(),
  ).rejects.toBe('stopped');
  clearTimeout(timer);
  vi.unstubAllGlobals();
});
