/** Traces as JSON lines and back: checks of whole files, which a race does not need. */
export { readTrace, writeTrace } from '@foretoken/streams';
