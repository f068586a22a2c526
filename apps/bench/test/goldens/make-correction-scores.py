"""Scores of the recipe (apps/distill) for the first test lines of the correction bench, for correction-scores.json beside this file.

    cd apps/distill && python ../bench/test/goldens/make-correction-scores.py
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, ".")
from distill.correction.scores import Triple, capitals_f1, edit_scores, false_changes, mark_f1, restored  # noqa: E402

HERE = Path(__file__).parent
tests = json.loads((HERE / "../../data/correction.json").resolve().read_text())
COUNT = 60


def half(source: str, target: str) -> str:
    """An output that is the line in its first half and the source in its second."""
    a, b = target.split(" "), source.split(" ")
    return " ".join(a[: len(a) // 2] + b[len(a) // 2 :])


def triples(name: str) -> list[Triple]:
    return [Triple(source, target, half(source, target)) for source, target in zip(tests[name][:COUNT], tests["good"])]


typed, bare = triples("typed"), triples("bare")
goldens = {
    "count": COUNT, **edit_scores(typed), "restored": restored(typed), "falseChanges": false_changes([(t.target, t.output) for t in typed]),
    "fullStops": mark_f1(bare, "."), "commas": mark_f1(bare, ","), "capitals": capitals_f1(bare),
}
(HERE / "correction-scores.json").write_text(json.dumps(goldens, indent=2) + "\n")
