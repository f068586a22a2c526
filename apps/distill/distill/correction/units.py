"""A line as units between spaces, each split into punctuation before, a core, and punctuation after."""
from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass

#: Signs that belong to the letter before them, as vowels of Hindi do; Python counts them among no letters.
MARKS = "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
LETTER = rf"[^\W\d_][{MARKS}]*"
LETTERS = re.compile(rf"(?:{LETTER})+(?:['’](?:{LETTER})+)*")
PLAIN = re.compile(rf"(?:{LETTER})+(?:['’-](?:{LETTER})+)*")
OPENING, CLOSING = "([{\"'“‘«¿¡「『", ".,;:!?)]}\"'”’»…。、，！？：；」』؟،؛।॥"
STOPS = ".,;:!?。、，！？：；؟،؛।॥"


@dataclass(slots=True)
class Unit:
    before: str
    core: str
    after: str
    #: Never altered: numbers, links, code, other scripts, whatever is no plain word.
    fixed: bool
    #: False where the text has no space before this unit.
    spaced: bool = True

    @property
    def text(self) -> str:
        return self.before + self.core + self.after


def fixed_unit(core: str, before: str = "", after: str = "") -> Unit:
    return Unit(before, core, after, True)


def units_of(line: str, alphabet: set[str]) -> list[Unit]:
    """`alphabet` holds the lower-case letters of the language; a word with another letter is fixed."""
    units: list[Unit] = []
    code = False
    for text in line.split(" "):
        start, end = 0, len(text)
        while start < end and text[start] in OPENING:
            start += 1
        while end > start and text[end - 1] in CLOSING:
            end -= 1
        core = text[start:end]
        ticks = text.count("`")
        plain = not code and not ticks and PLAIN.fullmatch(core) is not None
        if plain:
            plain = (core[1:] == core[1:].lower() or core == core.upper()) and all(
                letter in alphabet for letter in core.lower() if letter.isalpha())
        if ticks % 2:
            code = not code
        units.append(Unit(text[:start], core, text[end:], not plain))
    return units


def text_of(units: list[Unit]) -> str:
    return "".join((" " if unit.spaced and i else "") + unit.text for i, unit in enumerate(units))


def like(word: str, pattern: str) -> str:
    """`word` in the casing of `pattern`: capitals, a first capital, or as it is."""
    if len(pattern) > 1 and pattern.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if pattern[:1].isupper() else word
