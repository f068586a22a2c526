"""The text of one language: good lines, without those that hold a word of a list of words to refuse."""
from __future__ import annotations

import json
import re
from pathlib import Path


def read_refused(path: Path | None) -> list[str]:
    """Words and phrases of a list: JSON, or one a line. None without a list."""
    if path is None:
        return []
    text = path.read_text(encoding="utf-8-sig")
    entries = json.loads(text) if path.suffix == ".json" else text.splitlines()
    return [entry.strip().lower() for entry in entries if entry.strip()]


def refuser(entries: list[str]) -> re.Pattern[str]:
    """Finds a listed word or phrase, its plural too, in any casing."""
    listed = "|".join(re.escape(entry) for entry in sorted(entries, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{listed})(?:s|es)?(?!\w)" if listed else r"(?!)", re.IGNORECASE)


LONGEST = 320
"""Characters of a line."""


def good_lines(path: Path, refused: list[str], longest: int = LONGEST) -> list[str]:
    """Lines of at most `longest` characters, runs of white space made one space."""
    found = refuser(refused)
    lines = (" ".join(line.split()) for line in path.read_text(encoding="utf-8-sig").splitlines())
    return [line for line in lines if line and len(line) <= longest and not found.search(line)]
