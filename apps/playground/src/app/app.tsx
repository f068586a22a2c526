import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Replay } from '../replay/replay.js';
import { TASKS, taskOf } from '../run/tasks.js';
import { Mark } from '../views/figure.js';
import { Choices } from './choices.js';
import type { Racer } from './racer.js';
import { ShareBar } from './share-bar.js';
import { firstChoice, fromHash, ignoredOf, type RaceChoice, toHash } from './share-link.js';

export interface AppProps {
  readonly racer: Racer;
}

/** The playground: a sentence, strategies, and what they did with it. */
export function App({ racer }: AppProps): JSX.Element {
  const choice = useSignal<RaceChoice>(fromHash(location.hash));
  const ignored = useSignal<readonly string[]>(ignoredOf(location.hash));
  const start = (next: RaceChoice, left: readonly string[] = []): void => {
    choice.value = next;
    ignored.value = left;
    history.replaceState(null, '', toHash(next));
    racer.start(next);
  };
  useEffect(() => {
    start(choice.value, ignored.value);
    const onHash = (): void => start(fromHash(location.hash), ignoredOf(location.hash));
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, []);
  const task = taskOf(choice.value.task);
  const traces = racer.traces.value;
  return (
    <div class="foretoken app">
      <header class="app-header">
        <h1>Foretoken playground</h1>
        <p>
          One sentence, several ways to write it. They all run in your browser, one after another, and race here on one
          clock.
        </p>
      </header>
      <main>
        <nav class="app-tasks" aria-label="Tasks">
          {TASKS.map(({ id, label }) => (
            <button
              key={id}
              type="button"
              aria-pressed={id === task.id}
              onClick={() => {
                if (id !== task.id) start(firstChoice(id));
              }}
            >
              {label}
            </button>
          ))}
        </nav>
        {ignored.value.length > 0 && (
          <p class="app-hint" role="note">
            The link holds what this page does not know, or cannot take: {ignored.value.join(', ')}. What you see stands
            in its place.
          </p>
        )}
        <form
          class="app-form"
          onSubmit={(event) => {
            event.preventDefault();
            start(choice.value);
          }}
        >
          <label class="app-label" for="input">
            {task.prompt}
          </label>
          <div class="app-sentence">
            <textarea
              id="input"
              rows={task.rows}
              autocomplete="off"
              spellcheck={false}
              maxLength={300}
              required
              value={choice.value.input}
              onInput={({ currentTarget }) => {
                choice.value = { ...choice.value, input: currentTarget.value };
              }}
              onKeyDown={(event) => {
                // A line break is for those who hold the shift key, as in chats.
                if (event.key !== 'Enter' || event.shiftKey) return;
                event.preventDefault();
                event.currentTarget.form?.requestSubmit();
              }}
            />
            <button type="submit" class="app-go">
              Race
            </button>
          </div>
          <div class="app-examples">
            <span>Try:</span>
            {task.examples.map((example) => (
              <button key={example} type="button" onClick={() => start({ ...choice.value, input: example })}>
                {example.replace(/\s+/g, ' ').trim()}
              </button>
            ))}
          </div>
          <Choices choice={choice} onChange={start} />
        </form>
        <Status racer={racer} megabytes={task.megabytes} />
        <div
          class={racer.state.value.stage === 'done' ? 'app-race' : 'app-race app-old'}
          data-input={traces[0]?.header.input}
        >
          {traces.length > 0 && (
            <>
              <Replay key={racer.shown.value} traces={traces} />
              <ShareBar traces={traces} racer={racer} />
            </>
          )}
        </div>
      </main>
      <footer class="app-footer">
        <p>
          <Mark kind="measured" /> A full circle marks what was measured on your machine, <Mark kind="derived" /> an
          empty one what was derived from that; point at a number to read how. The models are small and were trained for
          teaching; the one that translates is for research and education only.
        </p>
      </footer>
    </div>
  );
}

interface StatusProps {
  readonly racer: Racer;
  readonly megabytes: number;
}

/** What the worker does, in a line that is always there. */
function Status({ racer, megabytes }: StatusProps): JSX.Element {
  const { stage, share, error } = racer.state.value;
  const first = racer.firstTokenMs.value;
  const words = {
    loading: `Loading the model: ${Math.round(share * 100)} % of ${megabytes} MB.`,
    decoding: 'Decoding.',
    done:
      first === undefined ? 'Done.' : `The first token came ${(first / 1000).toFixed(2)} s after this page was opened.`,
    failed: `That did not work: ${error ?? 'nobody said why'}`,
  }[stage];
  return (
    <p class={`app-status app-${stage}`} role="status" data-stage={stage} data-first-token-ms={first}>
      {`${words} `}
      {stage === 'done' && first !== undefined && <Mark kind="measured" />}
    </p>
  );
}
