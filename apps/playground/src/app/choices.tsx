import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { optionsOf, STRATEGIES, strategyOf } from '../run/strategies.js';
import { ABOUT } from './about-strategies.js';
import { MOST_STRATEGIES, type RaceChoice } from './share-link.js';

export interface ChoicesProps {
  readonly choice: Signal<RaceChoice>;
  readonly onChange: (choice: RaceChoice) => void;
}

/** Which strategies race, and with what. */
export function Choices({ choice, onChange }: ChoicesProps): JSX.Element {
  const { task, strategies, options, seed } = choice.value;
  const offered = STRATEGIES.filter(({ tasks }) => tasks.includes(task));
  const toggle = (id: string): void => {
    const next = strategies.includes(id) ? strategies.filter((one) => one !== id) : [...strategies, id];
    // In the order in which they are listed, so that lanes stay where they are.
    const ordered = offered.map((one) => one.id).filter((one) => next.includes(one));
    if (ordered.length > 0) onChange({ ...choice.value, strategies: ordered });
  };
  return (
    <div class="app-choices">
      <fieldset class="app-strategies">
        <legend>Strategies</legend>
        {offered.map(({ id, label }) => {
          const checked = strategies.includes(id);
          const full = strategies.length >= MOST_STRATEGIES;
          const last = checked && strategies.length === 1;
          return (
            <label key={id} title={ABOUT[id]}>
              <input
                type="checkbox"
                checked={checked}
                disabled={(!checked && full) || last}
                aria-describedby="strategies-hint"
                onChange={() => toggle(id)}
              />
              <span>{label}</span>
            </label>
          );
        })}
      </fieldset>
      <p class="app-hint" id="strategies-hint">
        {hintOf(strategies.length, offered.length)}
      </p>
      <dl class="app-abouts">
        {offered
          .filter(({ id }) => strategies.includes(id))
          .map(({ id, label }) => (
            <div key={id}>
              <dt>{label}</dt>
              <dd>{ABOUT[id]}</dd>
            </div>
          ))}
      </dl>
      <details class="app-options">
        <summary>Options</summary>
        <div class="app-option-grid">
          <label>
            <span>Seed</span>
            <input
              type="number"
              min={0}
              max={4294967295}
              step={1}
              value={seed}
              onChange={({ currentTarget }) => {
                const value = currentTarget.valueAsNumber;
                if (currentTarget.validity.valid && !Number.isNaN(value)) onChange({ ...choice.value, seed: value });
              }}
            />
          </label>
          {strategies.flatMap((id) => {
            const strategy = strategyOf(id);
            if (strategy === undefined) return [];
            const values = optionsOf(strategy, options[id]);
            return strategy.options.map(({ name, label, min, max, step }) => (
              <label key={`${id} ${name}`}>
                <span>
                  {strategy.label}: {label.toLowerCase()}
                </span>
                <input
                  type="number"
                  min={min}
                  max={max}
                  step={step}
                  value={values[name]}
                  onChange={({ currentTarget }) => {
                    const value = currentTarget.valueAsNumber;
                    if (!currentTarget.validity.valid || Number.isNaN(value)) return;
                    const own = { ...values, [name]: value };
                    onChange({ ...choice.value, options: { ...options, [id]: own } });
                  }}
                />
              </label>
            ));
          })}
        </div>
      </details>
    </div>
  );
}

/** Why some boxes cannot be changed now. */
function hintOf(ticked: number, offered: number): string {
  if (ticked === 1) return 'One strategy has to stay. To take this one out, tick another one first.';
  if (ticked >= MOST_STRATEGIES && offered > ticked) {
    return `${MOST_STRATEGIES} strategies race at most. To take another one, take one out first.`;
  }
  return `Tick up to ${Math.min(MOST_STRATEGIES, offered)}.`;
}
