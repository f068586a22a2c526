"""Misspellings by ear: parts of a word written as another part that sounds alike, from the language's rules."""
from __future__ import annotations

from functools import lru_cache
from random import Random

from .tables import Tables


class Respeller:
    """Rules `[part, others...]`; `^` and `$` bind a part to the word's beginning and end."""

    def __init__(self, tables: Tables) -> None:
        self.rules = [(part.strip("^$"), part.startswith("^"), part.endswith("$"), others) for part, others in tables.respellings]
        self.places = lru_cache(maxsize=60_000)(self.find_places)

    def find_places(self, word: str) -> list[tuple[int, int, list[str]]]:
        """Start, end and replacements of every rule that fits."""
        found = []
        for part, first, last, others in self.rules:
            start = word.find(part)
            while start >= 0:
                end = start + len(part)
                if (not first or start == 0) and (not last or end == len(word)) and len(word) > len(part):
                    found.append((start, end, others))
                start = word.find(part, start + 1)
        return found

    def respell(self, word: str, order: Random) -> str | None:
        places = self.places(word)
        if not places:
            return None
        # Longer parts are the well-known traps; a single letter's rules fit everywhere and would drown them.
        start, end, others = order.choices(places, [(end - start) ** 1.5 for start, end, _ in places])[0]
        return word[:start] + order.choice(others) + word[end:]
