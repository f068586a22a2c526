"""Fixed test lines for a corrector, made from good lines with fixed seeds, and its figures on them."""
from __future__ import annotations

from collections.abc import Callable
from random import Random

from .noise import Noise
from .scores import Triple, capitals_f1, edit_scores, false_changes, mark_f1, restored
from .units import units_of

Correct = Callable[[list[str]], list[str]]


def made_pairs(lines: list[str], noise: Noise, mode: str, rate: float | None, seed: int) -> list[tuple[str, str]]:
    """Lines with errors of one mode; each line draws its strength unless `rate` says it."""
    order = Random(seed)
    pairs = []
    for line in lines:
        units = units_of(line, noise.words.alphabet)
        pairs.append((noise.noisy(units, mode, order) if rate is None else noise.with_errors(units, mode, rate, order), line))
    return pairs


class Validation:
    def __init__(self, lines: list[str], noise: Noise, seed: int = 4321) -> None:
        self.clean = lines
        self.typed = made_pairs(lines, noise, "typed", None, seed)
        self.bare = made_pairs(lines, noise, "bare", 0.0, seed + 1)
        # Two sentences a line: the full stop between them has to be found.
        joined = [f"{a} {b}" for a, b in zip(lines[::2], lines[1::2])]
        self.joined = made_pairs(joined, noise, "bare", 0.0, seed + 2)

    def figures(self, correct: Correct) -> dict[str, float]:
        def outputs(pairs: list[tuple[str, str]]) -> list[Triple]:
            made = correct([source for source, _ in pairs])
            return [Triple(source, target, output) for (source, target), output in zip(pairs, made, strict=True)]

        typed, bare, joined = outputs(self.typed), outputs(self.bare), outputs(self.joined)
        found = {
            **edit_scores(typed), "restored": restored(typed),
            "falseChanges": false_changes(list(zip(self.clean, correct(self.clean)))),
            "fullStops": mark_f1(bare, "."), "joinedFullStops": mark_f1(joined, "."), "commas": mark_f1(bare, ","),
            "capitals": capitals_f1(bare),
        }
        return {name: round(value, 4) for name, value in found.items()}
