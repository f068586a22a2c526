"""Slips of the hand: a letter dropped, doubled, inserted, swapped with the next, or replaced by its neighbour's key."""
from __future__ import annotations

from random import Random

from .tables import Tables


def position(word: str, order: Random) -> int:
    """First letters are seldom wrong."""
    return 0 if len(word) < 2 or order.random() < 0.08 else order.randrange(1, len(word))


def drop(word: str, tables: Tables, letters: str, order: Random) -> str:
    doubled = [i for i in range(1, len(word)) if word[i] == word[i - 1]]
    i = order.choice(doubled) if doubled and order.random() < 0.6 else position(word, order)
    return word[:i] + word[i + 1 :]


def swap(word: str, tables: Tables, letters: str, order: Random) -> str:
    i = max(1, position(word, order)) if order.random() < 0.9 else 1
    return word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :]


def double(word: str, tables: Tables, letters: str, order: Random) -> str:
    i = position(word, order)
    return word[:i] + word[i] + word[i:]


def insert(word: str, tables: Tables, letters: str, order: Random) -> str:
    i = position(word, order)
    near = tables.neighbours.get(word[i], "") if order.random() < 0.6 else tables.vowels
    return word[: i + 1] + order.choice(near or letters) + word[i + 1 :]


def replace(word: str, tables: Tables, letters: str, order: Random) -> str:
    i = position(word, order)
    near = tables.neighbours.get(word[i], "") if order.random() < 0.8 else ""
    return word[:i] + order.choice(near or letters) + word[i + 1 :]


SLIPS = (drop, swap, double, insert, replace)
WEIGHTS = (30, 27, 14, 12, 17)


def slip(word: str, tables: Tables, letters: str, order: Random) -> str:
    """`word [2..]` in lower case with one slip; it may be the same word, where equal letters were swapped."""
    return order.choices(SLIPS, WEIGHTS)[0](word, tables, letters, order)
