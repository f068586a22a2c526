import { render } from 'preact';
import '../style/replay.css';
import { Replay, type ReplayProps } from './replay.js';

/** Recorded traces as JSON lines, by the names of their files. */
const RECORDED = import.meta.glob<string>('../../traces/*.jsonl', { query: '?raw', import: 'default' });

/**
 * Shows recorded traces in an element; without a model. Returns what removes them. Throws for a name that is not recorded.
 */
export async function mountReplay(
  element: HTMLElement,
  names: readonly string[],
  views: ReplayProps['views'] = 'all',
): Promise<() => void> {
  const traces = await Promise.all(names.map(loadTrace));
  element.classList.add('foretoken');
  render(<Replay traces={traces} views={views} />, element);
  return () => render(null, element);
}

async function loadTrace(name: string) {
  const load = RECORDED[`../../traces/${name}.jsonl`];
  if (load === undefined) throw new Error(`No trace of the name ${name} was recorded.`);
  const [{ readTrace }, lines] = await Promise.all([import('../trace/trace-files.js'), load()]);
  return readTrace(lines);
}
