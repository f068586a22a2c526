"""What can go wrong between words: spaces, small words, casing and punctuation."""
from __future__ import annotations

from random import Random

from .tables import Tables
from .units import STOPS, Unit


def small_words(units: list[Unit], tables: Tables, rate: float, order: Random) -> list[Unit]:
    """Small words left out or written twice."""
    out: list[Unit] = []
    for i, unit in enumerate(units):
        small = not unit.fixed and unit.core.lower() in tables.small_words and unit.text == unit.core
        chance = order.random()
        if small and i and chance < rate * 0.5:
            continue
        out.append(unit)
        if not unit.fixed and not unit.after and chance > 1 - rate * (0.5 if small else 0.08):
            out.append(Unit("", unit.core.lower() if i == 0 else unit.core, "", False))
    return out


def spaces(units: list[Unit], rate: float, order: Random) -> list[Unit]:
    """Words joined or split, spaces lost after punctuation or put before it, doubled spaces."""
    out: list[Unit] = []
    for unit in units:
        chance = order.random() / max(rate, 1e-9)
        previous = out[-1] if out else None
        if previous is not None and not previous.fixed and not unit.fixed and not unit.before:
            if not previous.after and chance < 0.12:
                unit.spaced = False
            elif previous.after and previous.after[-1] in STOPS and chance < 1.2:
                unit.spaced = False
        if previous is not None and 0.12 <= chance < 0.2:
            unit.before = " " + unit.before
        if not unit.fixed and len(unit.core) > 5 and 0.2 <= chance < 0.3:
            cut = order.randrange(2, len(unit.core) - 1)
            out.append(Unit(unit.before, unit.core[:cut], "", False, unit.spaced))
            unit = Unit("", unit.core[cut:], unit.after, False)
        if unit.after and unit.after[0] in STOPS and not unit.fixed and order.random() < rate * 0.6:
            unit.after = " " + unit.after
        out.append(unit)
    return out


def bare(units: list[Unit], order: Random) -> list[Unit]:
    """Lower case without punctuation, apostrophes now and then gone too; brackets and quotation marks stay."""
    apostrophes = order.random() < 0.5
    out: list[Unit] = []
    for unit in units:
        unit.after = "".join(c for c in unit.after if c not in STOPS)
        if not unit.fixed:
            unit.core = unit.core.lower() if apostrophes else unit.core.lower().replace("'", "")
        if unit.text:
            out.append(unit)
    return out


def lower_case(units: list[Unit], order: Random) -> None:
    """Lower case, punctuation kept."""
    for unit in units:
        if not unit.fixed:
            unit.core = unit.core.lower()


def capitals(units: list[Unit], order: Random) -> None:
    for unit in units:
        if not unit.fixed:
            unit.core = unit.core.upper()


def loose_punctuation(units: list[Unit], rate: float, order: Random) -> None:
    """First capitals, commas and full stops lost here and there; a comma now and then too many."""
    no_capitals = order.random() < 0.3
    no_stop = order.random() < 0.35
    begins = True
    for i, unit in enumerate(units):
        if begins and not unit.fixed and no_capitals:
            unit.core = unit.core[:1].lower() + unit.core[1:]
        elif not begins and not unit.fixed and unit.core[:1].isupper() and order.random() < rate * 0.5:
            unit.core = unit.core.lower()
        begins = bool(unit.after) and any(c in ".!?" for c in unit.after)
        if i == len(units) - 1 and no_stop and unit.after.endswith((".", "!", "?")):
            unit.after = unit.after[:-1]
        elif begins and i < len(units) - 1 and order.random() < rate * 0.6:
            unit.after = order.choice(("", ",")) + unit.after.strip(".!?")
        if "," in unit.after and order.random() < rate:
            unit.after = unit.after.replace(",", "")
        elif not unit.after and not unit.fixed and i < len(units) - 1 and order.random() < rate * 0.02:
            unit.after = ","
