export const decode = (strategy: string, ...more: string[]) => [
  'decode',
  '--strategy',
  strategy,
  '--text',
  'a dog runs',
  ...more,
];
