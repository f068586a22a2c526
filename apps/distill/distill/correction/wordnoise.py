"""Errors of one word and of its grammar."""
from __future__ import annotations

from random import Random

from .respell import Respeller
from .slips import slip
from .tables import Tables, Words
from .units import Unit, like



class WordNoise:
    """`refused` are words that no error may make."""

    def __init__(self, tables: Tables, words: Words, refused: set[str]) -> None:
        self.tables, self.words, self.refused = tables, words, refused
        self.respeller = Respeller(tables)

    def misspelt(self, word: str, order: Random) -> str | None:
        """One slip or respelling, or seldom two, of a lower-case word; none where it would be another word."""
        many = 1 if len(word) < 6 or order.random() < 0.82 else 2
        out = word
        for _ in range(many):
            made = self.respeller.respell(out, order) if order.random() < 0.48 else None
            out = slip(out, self.tables, self.words.letters, order) if made is None else made
            if len(out) < 2:
                return None
        if out == word or out in self.refused:
            return None
        # A word that is right elsewhere is an error only the sentence can show; some of those, not all.
        if out in self.words.known and order.random() < 0.8:
            return None
        return out

    def worth_spelling(self, unit: Unit, first: bool, order: Random) -> bool:
        """Whether the word can be known again: rare words and rare names cannot, and are left as they are."""
        word, lower = unit.core, unit.core.lower()
        if len(word) < 3:
            return len(word) == 2 and order.random() < 0.4
        if word[:1].isupper() and not first:
            return self.words.written[word] >= 10 and order.random() < 0.5
        return self.words.lower[lower] >= 3 or order.random() < 0.15

    def agreement(self, unit: Unit, previous: str, order: Random) -> str | None:
        """Another form that does not agree with its neighbours."""
        lower, tables = unit.core.lower(), self.tables
        if lower in tables.after and previous in tables.after[lower][0]:
            return tables.after[lower][1]
        if lower in tables.agreement:
            return order.choice(tables.agreement[lower])
        ending = tables.plural_ending
        if ending and len(lower) > 3:
            if previous in tables.singular_subjects and lower.endswith(ending) and lower[: -len(ending)] in self.words.known:
                return lower[: -len(ending)]
            if previous in tables.plural_subjects and lower + ending in self.words.known:
                return lower + ending
        return None

    def other(self, unit: Unit, first: bool, previous: str, order: Random) -> str | None:
        """The unit's core with an error, or none where no error fits."""
        word, lower, tables = unit.core, unit.core.lower(), self.tables
        if ("'" in lower or "’" in lower) and order.random() < 0.7:
            bare = word.replace("'", "").replace("’", "")
            return bare if bare.lower() not in self.refused else None
        if lower in tables.confusions and order.random() < 0.5:
            return like(order.choice(tables.confusions[lower]), word)
        if order.random() < 0.5:
            made = self.agreement(unit, previous, order)
            if made is not None:
                return like(made, word)
        if order.random() < 0.04:
            return word.lower() if word[:1].isupper() else word[:1].upper() + word[1:]
        if not self.worth_spelling(unit, first, order):
            return None
        made = self.misspelt(lower, order)
        return None if made is None else like(made, word)
