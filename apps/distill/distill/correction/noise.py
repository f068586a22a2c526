"""The noise model: turns a good line into a source line with errors, and builds the lines themselves."""
from __future__ import annotations

from random import Random

from . import surface
from .copies import Copies
from .tables import Tables, Words
from .units import Unit, fixed_unit, text_of, units_of
from .wordnoise import WordNoise

MODES = ("clean", "bare", "capitals", "lower", "typed")
MODE_WEIGHTS = (0.25, 0.19, 0.015, 0.045, 0.5)
#: Share of words with an error; each line draws one.
STRENGTHS = (0.06, 0.12, 0.12, 0.2, 0.2, 0.3, 0.45)
#: The same for practice: errors are what there is to learn, once copying is learnt.
PRACTICE_STRENGTHS = (0.08, 0.15, 0.25, 0.35, 0.45, 0.6, 0.75)


class Noise:
    """Pairs `(source, target)` made of good lines; the same lines and seed give the same pairs.

    With `practice` there are more errors than people make, and rarer words have more of them: they take longest to learn.
    """

    def __init__(self, tables: Tables, words: Words, refused: set[str], copies: float = 0.2, practice: bool = False) -> None:
        self.words, self.tables, self.share, self.practice = words, tables, copies, practice
        self.word_noise = WordNoise(tables, words, refused)
        self.copies = Copies(tables, words)

    def sentence(self, line: str, order: Random) -> list[Unit]:
        """A line's units, now and then with something to copy in them."""
        chance = order.random() / self.share if self.share > 0 else 1.0
        if chance < 0.3:
            carried = self.copies.carried(order)
            if carried is not None:
                before, item, after = carried
                units = units_of(before.strip(), self.words.alphabet) if before.strip() else []
                rest = units_of(after, self.words.alphabet) if after else []
                glued = rest[0].text if rest and not after.startswith(" ") else ""
                return [*units, fixed_unit(item, after=glued), *(rest[1:] if rest else [])]
        units = units_of(line, self.words.alphabet)
        if chance < 1.0:
            self.copies.put_into(units, order)
        return units

    def pair(self, lines: list[str], order: Random) -> tuple[str, str]:
        """`lines` become one target, joined by spaces; a few targets are nothing but copied things."""
        if self.share > 0 and order.random() < 0.025:
            text = self.copies.alone(order)
            return text, text
        units = [unit for line in lines for unit in self.sentence(line, order)]
        target = text_of(units)
        mode = order.choices(MODES, MODE_WEIGHTS)[0]
        return (target if mode == "clean" else self.noisy(units, mode, order)), target

    def noisy(self, units: list[Unit], mode: str, order: Random) -> str:
        """The units' text with errors; the units are changed."""
        rate = order.choice(PRACTICE_STRENGTHS if self.practice else STRENGTHS)
        if mode != "typed":
            rate = 0.0 if order.random() < 0.45 else rate * 0.6
        return self.with_errors(units, mode, rate, order)

    def weight(self, word: str) -> float:
        """How much practice a word needs, by how often the text shows it."""
        count = self.words.lower[word.lower()]
        return 0.4 if count > 4000 else 0.8 if count > 400 else 1.3

    def with_errors(self, units: list[Unit], mode: str, rate: float, order: Random) -> str:
        previous, begins = "", True
        for unit in units:
            word = unit.core
            if not unit.fixed and order.random() < rate * (self.weight(word) if self.practice else 1.0):
                for _ in range(3 if self.practice else 1):
                    made = self.word_noise.other(unit, begins, previous, order)
                    if made is not None:
                        unit.core = made
                        break
            previous, begins = word.lower(), any(c in ".!?" for c in unit.after)
        # However many words are misspelt, the line between them stays readable.
        rate = min(rate, 0.45)
        units = surface.small_words(units, self.tables, rate * 0.25, order)
        if mode == "typed":
            surface.loose_punctuation(units, rate, order)
        elif mode == "bare":
            units = surface.bare(units, order)
        elif mode == "lower":
            surface.lower_case(units, order)
        elif mode == "capitals":
            surface.capitals(units, order)
        return text_of(surface.spaces(units, rate * 0.35, order)) if rate > 0 else text_of(units)
