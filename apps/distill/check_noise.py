"""Holds the corrector's noise, tokenizer and scores to what they promise: run it after changing them.

    python check_noise.py
"""
from __future__ import annotations

import random
from collections import Counter

from distill.correction.lines import refuser
from distill.correction.noise import Noise
from distill.correction.respell import Respeller
from distill.correction.scores import Triple, edit_scores, false_changes, mark_f1, restored
from distill.correction.shards import Shards, groups_of
from distill.correction.slips import SLIPS, slip
from distill.correction.tables import Words, load_tables
from distill.correction.tokens import train_byte_tokenizer
from distill.correction.units import text_of, units_of

LINES = [
    "He definitely received their separate letters.", "She doesn't believe that it's necessary.", "They were in London, the capital.",
    "The file isn't there; look at `a b c` again (or not).", "I should have known that you are right!", "Is this an example?",
] * 40
FRENCH = ["L'été dernier, nous étions à la maison.", "Elle a mangé une pomme très sucrée."] * 40


def made(lines: list[str] = LINES, language: str = "en", refused: set[str] = frozenset(), copies: float = 0.2) -> Noise:
    return Noise(load_tables(language), Words(lines), set(refused), copies)


def one_seed_one_pair() -> None:
    noise = made()
    assert [noise.pair(LINES[:2], random.Random(i)) for i in range(200)] == [noise.pair(LINES[:2], random.Random(i)) for i in range(200)]


def a_quarter_is_clean() -> None:
    noise, order = made(), random.Random(1)
    pairs = [noise.pair([order.choice(LINES)], order) for _ in range(4000)]
    clean = sum(source == target for source, target in pairs) / len(pairs)
    assert 0.25 < clean < 0.45, clean
    bare = sum(source != target and source == source.lower() and not any(c in ".,!?" for c in source) for source, target in pairs)
    assert bare > 0.1 * len(pairs), bare


def fixed_things_stay() -> None:
    noise, order = made(copies=1.0), random.Random(2)
    for _ in range(3000):
        units = noise.sentence(order.choice(LINES), order)
        fixed = Counter(unit.core for unit in units if unit.fixed)
        source = noise.noisy(units, order.choice(("bare", "typed", "capitals", "lower")), order)
        for core, count in fixed.items():
            assert source.count(core) >= count, (core, source)


def lines_come_apart_and_together() -> None:
    noise, order = made(), random.Random(3)
    for line in [*LINES[:6], *(noise.copies.alone(order) for _ in range(2000)), " a  b ", "", "\t"]:
        assert text_of(units_of(line, noise.words.alphabet)) == line


def slips_are_one_letter_away() -> None:
    tables, order = load_tables("en"), random.Random(4)
    for _ in range(4000):
        word = order.choice(("of", "the", "accommodate", "letter", "a"))
        if len(word) > 1:
            out = slip(word, tables, "abcdefghijklmnopqrstuvwxyz", order)
            assert abs(len(out) - len(word)) <= 1
            if len(out) == len(word):
                differs = [i for i in range(len(word)) if out[i] != word[i]]
                assert len(differs) <= 2 and (len(differs) < 2 or sorted(out) == sorted(word))
    assert len({f.__name__ for f in SLIPS}) == 5


def spelling_traps_are_met() -> None:
    respeller, order = Respeller(load_tables("en")), random.Random(5)
    for right, wrong in (("definitely", "definately"), ("receive", "recieve"), ("separate", "seperate"), ("knife", "nife"),
                         ("existence", "existance"), ("accommodate", "acommodate"), ("tomorrow", "tommorrow")):
        assert wrong in {respeller.respell(right, order) for _ in range(6000)}, wrong


def nothing_refused_is_made() -> None:
    found = refuser(["bad word", "darn"])
    assert found.search("A Darn thing.") and found.search("two bad words") and not found.search("darning")
    noise, order = made(refused={"teh", "letetrs"}), random.Random(6)
    for _ in range(3000):
        source, _ = noise.pair([order.choice(LINES)], order)
        assert not {"teh", "letetrs"} & set(source.lower().split())


def other_languages_need_no_tables() -> None:
    noise, order = made(FRENCH, "none", copies=0.3), random.Random(7)
    assert "é" in noise.words.alphabet
    pairs = [noise.pair([order.choice(FRENCH)], order) for _ in range(500)]
    assert sum(source != target for source, target in pairs) > 150


def scripts_without_capitals_are_languages_too() -> None:
    for lines in (["ذهب الولد إلى المدرسة، ثم عاد إلى البيت.", "هل رأيت الكتاب الجديد؟"], ["लड़का स्कूल जाता है।", "यह किताब बहुत अच्छी है।"],
                  ["今天天气很好。", "我们去公园散步，然后回家。"], ["Мальчик пошёл в школу.", "Это новая книга!"], ["a b."], ["1 2 3"]):
        noise, order = made(lines * 40, "none", copies=0.3), random.Random(9)
        pairs = [noise.pair([order.choice(lines)], order) for _ in range(500)]
        assert any(source != target for source, target in pairs), lines
        for line in lines:
            assert text_of(units_of(line, noise.words.alphabet)) == line
    assert [unit.core for unit in units_of("यह किताब है।", noise.words.alphabet)] == ["यह", "किताब", "है"]


def any_text_comes_back() -> None:
    tokenizer = train_byte_tokenizer(LINES, 400)
    noise, order = made(copies=1.0), random.Random(8)
    assert tokenizer.token_to_id("<start>") == tokenizer.get_vocab_size() - 1 <= 399
    texts = [noise.pair([order.choice(LINES)], order)[1] for _ in range(1000)]
    for text in [*texts, "</s> <pad> <start>", " a  b\t\r\n", "e\u0301 \u200d\ufeff\u00a0", "".join(map(chr, range(1, 0x2000)))]:
        row = tokenizer.encode(text).ids
        assert row[-1] == 2 and 2 not in row[:-1] and tokenizer.decode(row[:-1]) == text


def shards_hold_every_line_once_an_epoch() -> None:
    lines = [f"Line {i} is here." for i in range(100)]
    noise = made(lines, copies=0.0)
    shards = Shards(lines, noise, train_byte_tokenizer(lines, 320), 1, size=30)
    assert shards[4] == shards[4] and shards.count == 3
    joined = " ".join(shards.tokenizer.decode(row[:-1]) for number in range(3) for row in shards[number][1])
    assert all(joined.count(line) == 1 for line in lines)
    assert sorted(line for group in groups_of(lines, random.Random(1), 60) for line in group) == sorted(lines)


def scores_are_as_counted() -> None:
    triples = [Triple("the caat sat", "The cat sat.", "The cat sat."), Triple("a dgo ran", "A dog ran.", "a dgo ran")]
    assert restored(triples) == 0.5 and mark_f1(triples, ".") == 2 * 1 / (1 + 2)
    assert edit_scores(triples)["precision"] == 1 and 0 < edit_scores(triples)["recall"] < 1
    assert false_changes([("One two three four.", "One too three four.")]) == 0.25 and false_changes([("a b", "a b")]) == 0


if __name__ == "__main__":
    for check in (one_seed_one_pair, a_quarter_is_clean, fixed_things_stay, lines_come_apart_and_together, slips_are_one_letter_away,
                  spelling_traps_are_met, nothing_refused_is_made, other_languages_need_no_tables, scripts_without_capitals_are_languages_too, any_text_comes_back,
                  shards_hold_every_line_once_an_epoch, scores_are_as_counted):
        check()
        print(f"{check.__name__}: as promised")
