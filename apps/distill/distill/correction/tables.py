"""What the noise knows of one language: one JSON file (`en.json`), or none, when only language-free noise is made."""
from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from .units import LETTERS, MARKS

FOLDER = Path(__file__).parent


class Tables:
    """Word lists and rules by name; a name that the file lacks is empty, and the noise that needs it is never made."""

    def __init__(self, content: dict[str, object]) -> None:
        self.vowels: str = content.get("vowels", "")
        self.neighbours = neighbours(content.get("keyboard", []))
        self.confusions = alternatives(content.get("confusions", []))
        self.agreement = alternatives(content.get("agreement", []))
        self.after: dict[str, tuple[set[str], str]] = {
            right: (set(before), wrong) for wrong, (before, right) in content.get("after", {}).items()}
        self.singular_subjects = set(content.get("singular_subjects", []))
        self.plural_subjects = set(content.get("plural_subjects", []))
        self.plural_ending: str = content.get("plural_ending", "")
        self.small_words = set(content.get("small_words", []))
        self.respellings: list[tuple[str, list[str]]] = [(rule[0], rule[1:]) for rule in content.get("respellings", [])]
        self.lists: dict[str, list[str]] = {
            name: content.get(name, []) for name in ("first_names", "last_names", "places", "months", "days")}
        self.carriers: dict[str, list[str]] = content.get("carriers", {})


def load_tables(language: str) -> Tables:
    """`language` is the name of a file beside this one, the path of another, or `none`."""
    if language == "none":
        return Tables({})
    path = Path(language) if language.endswith(".json") else FOLDER / f"{language}.json"
    return Tables(json.loads(path.read_text(encoding="utf-8")))


def neighbours(rows: list[str]) -> dict[str, str]:
    """Keys beside each key; a row lies half a key to the right of the row above."""
    near: dict[str, str] = defaultdict(str)
    for y, row in enumerate(rows):
        for x, key in enumerate(row):
            for other, columns in ((y, (x - 1, x + 1)), (y - 1, (x, x + 1)), (y + 1, (x - 1, x))):
                if 0 <= other < len(rows):
                    near[key] += "".join(rows[other][c] for c in columns if 0 <= c < len(rows[other]))
    return dict(near)


def alternatives(groups: list[list[str]]) -> dict[str, list[str]]:
    """What each word of a group may be taken for."""
    others: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        for word in group:
            others[word] += [other for other in group if other != word]
    return dict(others)


class Words:
    """How often a text's words occur, as written and in lower case, and which letters it is written in."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.written: Counter[str] = Counter()
        letters: Counter[str] = Counter()
        for line in lines:
            found = LETTERS.findall(line)
            # A first word is a capital by its place, which says nothing of the word.
            self.written.update(found[1:])
            self.written.update(word.lower() for word in found[:1])
            letters.update(line.lower())
        self.lower: Counter[str] = Counter()
        for word, count in self.written.items():
            self.lower[word.lower()] += count
        letters = Counter({letter: count for letter, count in letters.items() if letter.isalpha() or letter in MARKS})
        total = letters.total()
        self.alphabet = {letter for letter, count in letters.items() if count > total * 1e-4}
        self.letters = "".join(sorted(letter for letter in self.alphabet if letter.isalpha()))
        common = sorted(word for word, count in self.written.items() if count > 2)
        # Many scripts know no capitals. A text of very few words has its rare and short ones taken too.
        small = [word for word in common if word == word.lower()]
        self.common = [word for word in small if len(word) > 2] or small or sorted(self.lower) or ["x"]
        self.known = {word for word, count in self.lower.items() if count > 2}
