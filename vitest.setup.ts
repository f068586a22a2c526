import fc from 'fast-check';

// A failure must come back when the same tests are run again. A property may give a seed of its own.
fc.configureGlobal({ seed: 20_260_101 });
