/** Whether lists and objects lie in one another more than `max` deep. Keeps its own stack, as deep as that. */
export function isNestedDeeper(value: unknown, max: number): boolean {
  const open: Iterator<unknown>[] = [[value].values()];
  for (;;) {
    const inner = open.at(-1)?.next();
    if (inner === undefined) return false;
    if (inner.done === true) open.pop();
    else if (typeof inner.value === 'object' && inner.value !== null) {
      if (open.length > max) return true;
      open.push(Object.values(inner.value).values());
    }
  }
}
