"""Writes the goldens that hold Foretoken's sentence scores to sacreBLEU: every hypothesis against every reference.

    python make_sentence_metric_goldens.py --out ../../packages/metrics/test/goldens/sentence-metrics.json

Needs sacrebleu 2.6.0. BLEU is `sentence_bleu` as it comes: 13a words, exponential smoothing, effective order.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import sacrebleu
from sacrebleu import sentence_bleu
from sacrebleu.metrics import CHRF

# Short strings meet the effective order and the orders that chrF leaves out; the rest are marks, scripts, blanks.
LINES = [
    "", " ", "a", "ab", "a b", "a b c", "b a c", "a b c d", "a b c d e", "A B C D E", ".", "...", "-", "1,5", "1.5 -2",
    "Ein Hund läuft über das Gras.", "Ein Hund rennt über das Gras.", "ein hund läuft über das gras", "Ein Hund läuft über das Gras .",
    "Zwei Hunde spielen im Schnee, und ein Kind sieht zu.", "Zwei Hunde spielen im Schnee und ein Kind schaut zu!",
    "das das das das das das das", "Das ist das Haus, das das Kind malt.", "Stra\u00dfe", "STRASSE",
    "caf\u00e9", "cafe\u0301", "\u4e00\u4e2a\u4eba\u6234\u7740\u5e3d\u5b50\u3002", "\u4e00\u4e2a\u4eba\u6234\u7740\u7ea2\u5e3d\u5b50\u3002",
    "\u65e5\u672c\u8a9e\u3001\u30c6\u30b9\u30c8", "\U0001f389", "\U0001f389\U0001f389 \U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea \U0001f1eb\U0001f1f7", "\u0645\u0631\u062d\u0628\u0627\u060c \u0643\u064a\u0641\u061f", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
    "a\u00a0b\u3000c", "\ufeffa b", "a\u200bb", "a\nb", "a b \u2028", "&quot;a&quot; &amp; b", "\"a\" & b", "<skipped> a b",
]
# Orders and beta, as keys.
CHRF_VARIANTS = {"6,0,2": {}, "6,2,2": {"word_order": 2}, "2,0,1": {"char_order": 2, "beta": 1}}
SEVERAL = ["Ein Hund rennt über das Gras.", "ein hund läuft über das gras", "Zwei Hunde spielen im Schnee!", ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    metrics = {name: CHRF(**variant) for name, variant in CHRF_VARIANTS.items()}

    def chrf(name: str, hypothesis: str, references: list[str]) -> float:
        return metrics[name].sentence_score(hypothesis, references).score

    options.out.write_text(json.dumps({
        "madeBy": "apps/distill/make_sentence_metric_goldens.py", "sacrebleu": sacrebleu.__version__, "lines": LINES,
        "bleu": [[sentence_bleu(hypothesis, [reference]).score for reference in LINES] for hypothesis in LINES],
        "chrf": {name: [[chrf(name, hypothesis, [reference]) for reference in LINES] for hypothesis in LINES]
                 for name in CHRF_VARIANTS},
        "severalReferences": {
            "references": SEVERAL, "bleu": [sentence_bleu(hypothesis, SEVERAL).score for hypothesis in LINES],
            "chrf": {name: [chrf(name, hypothesis, SEVERAL) for hypothesis in LINES] for name in CHRF_VARIANTS},
        },
    }) + "\n")
    print(f"{len(LINES) ** 2} pairs, {len(LINES)} lines against {len(SEVERAL)} references")


if __name__ == "__main__":
    main()
