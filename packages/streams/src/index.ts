export { eventFromJson, eventToJson } from './event-json.js';
export { readable, type StartDecode, type StreamOptions } from './readable.js';
export { SERVER_SENT_EVENTS_HEADERS, serverSentEvents } from './server-sent-events.js';
export type { Ceiling, ChosenRun, Trace, TraceHeader } from './trace.js';
export { readTrace, writeTrace } from './trace-lines.js';
export { type TokenTexts, traceTokens } from './trace-tokens.js';
