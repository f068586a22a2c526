"""Writes sacrebleu.json: scores of sacreBLEU for hard cases. Needs `pip install sacrebleu==2.6.0`; tests do not need it.

Run: python packages/metrics/test/goldens/make-goldens.py
"""

import json
import pathlib
import random

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

assert sacrebleu.__version__ == "2.6.0", sacrebleu.__version__

ODD = [
    "Hello, world!", "A well-known 3-year-old said: 1,000.50 apples cost $5.99...", "&quot;Fish &amp; chips&quot; &lt;b&gt; &amp;lt;",
    "in 1999-2000, pages 3-5, -7 and - 8", "U.S.A. vs. the U.K., e.g. this.", ",. .,  ,,.. 1.,2 ,3 4. .5", "don't 'quote' it's",
    "Ein Mädchen läuft über saftig-grünes Gras; „so etwas“ – gibt es…", "一个男人戴着橙色的帽子。他在看什么，3.5元", "日本語、テスト。１２３，４５６．７",
    "emoji 👩‍👩‍👧 and 🎉.🎉,🎉 flags 🇩🇪", "cafe\u0301 café", "tab\tand\u00a0nbsp\u3000ideographic\u2028line\u0085nel\u001cfs end \u2003", "\ufeffbom zero\u200bwidth",
    "<skipped>text<skipped>", "hyphen-\nbroken line\nnext", "", " ", "x", "a b", "a b c", "{a}[b]^_`~|\\/@#%*+=<>?!;:()", "trailing space   ", ".", "...", "5", "--", "((hi)) (hi) ...hi... hi!!",
    "مرحبا، كيف حالك؟", "Привет, мир! 3,14", "ﬁne ½ ² Ⅳ",
]
WORDS = "ein Mann Frau mit roten Hut , . steht auf der 3.5 1,000 -2 Straße läuft's &quot; ( ) 狗 über 🎉".split()


def line(rng, longest=18):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(0, longest)))


def noisy(rng, text):
    words = text.split()
    for _ in range(rng.randint(0, 3)):
        if words:
            index = rng.randrange(len(words))
            words[index] = rng.choice(WORDS)
    return " ".join(words)


def case(name, hypotheses, references):
    bleu = BLEU().corpus_score(hypotheses, references)
    chrf = {
        f"{c},{w},{b}": CHRF(char_order=c, word_order=w, beta=b).corpus_score(hypotheses, references).score
        for c, w, b in ((6, 0, 2), (6, 2, 2), (6, 1, 3), (4, 0, 1))
    }
    sentence = BLEU(effective_order=True)
    return {
        "name": name, "hypotheses": hypotheses, "references": references,
        "bleu": bleu.score, "precisions": bleu.precisions, "brevityPenalty": bleu.bp,
        "hypothesisLength": bleu.sys_len, "referenceLength": bleu.ref_len, "correct": bleu.counts, "total": bleu.totals,
        "chrf": chrf,
        "sentenceBleu": [sentence.sentence_score(h, [s[i] for s in references]).score for i, h in enumerate(hypotheses)],
    }


def main():
    rng = random.Random(7)
    cases = [case("identical", ODD, [ODD]), case("reversed", ODD, [ODD[::-1]])]
    shifted = [noisy(rng, text) for text in ODD]
    cases.append(case("odd lines, disturbed", shifted, [ODD]))
    cases += [case(f"one line: {i}", [noisy(rng, text) or "x"], [[text]]) for i, text in enumerate(ODD)]
    cases += [
        case("all hypotheses empty", ["", ""], [["a b c d e", "f g"]]),
        case("one hypothesis empty", ["", "the cat sat on the mat"], [["a dog", "the cat sat on a mat"]]),
        case("reference empty", ["a b c d"], [[""]]), case("both empty", [""], [[""]]),
        case("no match", ["q w e r t"], [["a s d f g"]]), case("too short for four words", ["a b c"], [["a b c"]]),
        case("no four-gram match", ["a b c x d e f y"], [["a b c d e f g h"]]),
        case("only unigrams match", ["a c e g i"], [["i g e c a"]]), case("too long", ["a b c d e f g"], [["a b c d"]]),
        case("too short", ["a b c d"], [["a b c d e f g"]]), case("repeated", ["the the the the the the the"], [["the cat is on the mat"]]),
        case("tie of reference lengths", ["a b c d e f"], [["a b c d e f g h"], ["a b c d"]]),
        case("second reference better", ["a b c d e", "f g h i"], [["x y", "f g"], ["a b c d e", "f g h j"]]),
    ]
    for count in (1, 2, 3, 4):
        for size in (1, 3, 20):
            streams = [[line(rng) for _ in range(size)] for _ in range(count)]
            hypotheses = [noisy(rng, rng.choice(streams)[i]) for i in range(size)]
            cases.append(case(f"random: {size} lines, {count} references", hypotheses, streams))
    tokenizer = BLEU().tokenizer
    tokens = [[text, tokenizer(text).split(" ") if tokenizer(text) else []] for text in ODD + [line(rng) for _ in range(20)]]
    target = pathlib.Path(__file__).with_name("sacrebleu.json")
    target.write_text(json.dumps({"sacrebleu": sacrebleu.__version__, "tokens": tokens, "cases": cases}, ensure_ascii=True, indent=1) + "\n")
    print(f"{target}: {len(cases)} cases, {len(tokens)} tokenized lines")


main()
