import type { Trace } from '@foretoken/streams';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Racer } from './racer.js';

export interface ShareBarProps {
  readonly traces: readonly Trace[];
  readonly racer: Racer;
}

/** Loaded when files are saved or opened. */
const traceFiles = () => import('../trace/trace-files.js');

/** A link to the same race, its events as files, and files of events back. */
export function ShareBar({ traces, racer }: ShareBarProps): JSX.Element {
  const said = useSignal('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.href);
      said.value = 'The link is copied.';
    } catch {
      said.value = 'The address of this page is the link; copy it from there.';
    }
  };
  const save = async (): Promise<void> => {
    const { writeTrace } = await traceFiles();
    for (const trace of traces) {
      const url = URL.createObjectURL(new Blob([writeTrace(trace)], { type: 'application/jsonl' }));
      const link = document.createElement('a');
      link.href = url;
      link.download = `${trace.header.task}-${trace.header.strategy}.jsonl`;
      link.click();
      URL.revokeObjectURL(url);
    }
  };
  const open = async (files: FileList | null): Promise<void> => {
    try {
      const { readTrace } = await traceFiles();
      const texts = await Promise.all([...(files ?? [])].slice(0, 3).map((file) => file.text()));
      if (texts.length > 0) racer.show(texts.map(readTrace));
      said.value = '';
    } catch (error) {
      said.value = error instanceof Error ? error.message : String(error);
    }
  };
  return (
    <div class="app-share">
      <button type="button" onClick={copy}>
        Copy link
      </button>
      <button type="button" onClick={save}>
        Save events
      </button>
      <label class="app-file">
        <span>Open events</span>
        <input type="file" accept=".jsonl" multiple onChange={({ currentTarget }) => open(currentTarget.files)} />
      </label>
      <span role="status">{said.value}</span>
    </div>
  );
}
