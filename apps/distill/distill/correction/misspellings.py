"""Real misspellings of a public list, put into good lines: for the test only, never in training."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from importlib import resources
from random import Random

from .units import LETTERS, like, text_of, units_of


def codespell_misspellings() -> dict[str, list[str]]:
    """Misspellings of each word, from the main dictionary of the package `codespell` (CC BY-SA 3.0): those that have one correction."""
    found: dict[str, list[str]] = defaultdict(list)
    text = (resources.files("codespell_lib") / "data" / "dictionary.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        wrong, _, rights = line.partition("->")
        right = rights.strip()
        # Several corrections are separated by commas; a reason after a comma means: do not correct it unasked.
        if "," not in right and LETTERS.fullmatch(wrong) and LETTERS.fullmatch(right):
            found[right].append(wrong)
    return dict(found)


def misspelt_lines(lines: Iterable[str], misspellings: dict[str, list[str]], alphabet: set[str], seed: int, most: int = 2,
                   ) -> list[tuple[str, str]]:
    """Pairs `(misspelt, line)` of the lines that hold a word with known misspellings; at most `most` words of each are misspelt."""
    order = Random(seed)
    pairs = []
    for line in lines:
        units = units_of(line, alphabet)
        places = [unit for unit in units if not unit.fixed and unit.core.lower() in misspellings]
        for unit in order.sample(places, min(most, len(places))):
            unit.core = like(order.choice(misspellings[unit.core.lower()]), unit.core)
        if places:
            pairs.append((text_of(units), line))
    return pairs
