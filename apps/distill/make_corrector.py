"""Makes a model folder that corrects text, from a file of good lines: one command, resumable at any moment.

    python make_corrector.py --text lines.txt --out corrector
    foretoken correct --model corrector --text "teh cat"

It runs the recipes beside it, one after the other: the corrector, what it says of noisy lines, the students, n-grams and shortlist,
and `foretoken import`, whose command line must be built. What a step finished is kept in the folder `--work` and not done again, so the
same command goes on where it was stopped. Other options belong to a new `--work`: they are refused with an old one.
"""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from distill.correction.lines import LONGEST, good_lines, read_refused
from distill.correction.options import TRAINING, check_shape, handed_on, pairs_arguments, text_arguments, training_arguments

HERE = Path(__file__).parent
CLI = HERE / "../cli/dist/main.js"
MIN_LINES = 100


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    text_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--val", type=Path, help="good lines to validate on; default: every so many of --text, which are then not trained on")
    parser.add_argument("--work", type=Path, help="folder for what lies between; default: OUT.work")
    parser.add_argument("--name", help="name of the model; default: that of the folder")
    parser.add_argument("--licence", help="licence of the weights, in the manifest")
    training_arguments(parser)
    parser.add_argument("--students", nargs="*", choices=("ctc", "edit"), default=["ctc", "edit"])
    pairs_arguments(parser)
    parser.add_argument("--epochs", type=int, default=12, help="of the students")
    parser.add_argument("--sentences", type=int, default=60_000, help="pairs in an epoch of the students; 0 for all")
    options = parser.parse_args()
    options.work = options.work or options.out.with_name(f"{options.out.name}.work")
    options.name = options.name or options.out.name
    if not CLI.exists():
        parser.error("the command line is not built: run `npx turbo run build --filter=@foretoken/cli...` first")
    if options.out.exists():
        parser.error(f"{options.out} exists: remove it, or name another folder")
    check_shape(parser, options)
    return options


def kept_options(options: argparse.Namespace) -> dict[str, object]:
    """What must be the same when a run goes on."""
    others = ("out", "work", "name", "licence", "threads")
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items() if name not in others}


def same_options(options: argparse.Namespace) -> None:
    path, now = options.work / "options.json", kept_options(options)
    if not path.exists():
        options.work.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    other = [f"--{name.replace('_', '-')} {before.get(name)}" for name in now if before.get(name) != now[name]]
    if other:
        sys.exit(f"{options.work} was begun with {', '.join(other)}: go on with these, or name another --work.")


def read_lines(options: argparse.Namespace) -> list[str]:
    try:
        lines = good_lines(options.text, read_refused(options.refuse))
    except UnicodeDecodeError as error:
        sys.exit(f"{options.text} and --refuse must be UTF-8, but {error}.")
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}.")
    print(f"{options.text} has {len(lines)} good lines of at most {LONGEST} characters", flush=True)
    if len(lines) < MIN_LINES:
        sys.exit(f"At least {MIN_LINES} are needed.")
    return lines


def split(options: argparse.Namespace, lines: list[str]) -> tuple[Path, Path]:
    """Lines to train on and lines to validate on."""
    if options.val is not None:
        return options.text, options.val
    train, val = options.work / "train.txt", options.work / "val.txt"
    # A line that occurs twice would be both trained and validated on.
    lines = list(dict.fromkeys(lines))
    every = max(10, len(lines) // 300)
    for path, part in ((train, [line for i, line in enumerate(lines) if i % every]), (val, lines[::every])):
        path.write_text("".join(f"{line}\n" for line in part), encoding="utf-8")
    return train, val


def run(title: str, command: list[object], done: Path | None = None) -> None:
    """Runs a step unless what it leaves is there; its end by a signal or an error ends the whole."""
    if done is not None and done.exists():
        return
    print(f"== {title}", flush=True)
    code = subprocess.run([str(part) for part in command]).returncode
    if code != 0:
        sys.exit(f"{title} ended with {code}; the same command goes on from there.")
    if done is not None:
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()


def recipe(name: str) -> list[object]:
    return [sys.executable, HERE / f"{name}.py"]


def main() -> None:
    options = arguments()
    # Before the folder is begun, so that a wrong file leaves none behind.
    lines = read_lines(options)
    same_options(options)
    work, done = options.work, options.work / "done"
    train, val = split(options, lines)
    teacher, pairs, exported = work / "corrector", work / "pairs", work / "export"
    text = ["--text", train, "--val", val, *handed_on(options, ("language", "refuse"))]
    run("corrector", [*recipe("train_corrector"), *text, *handed_on(options, TRAINING), "--out", teacher], done / "corrector")
    folders: dict[str, Path] = {"teacher": teacher / "model"}
    if options.students:
        run("what the corrector says", [*recipe("distil_corrector"), "--model", teacher / "model", *text, *handed_on(options, ("pairs",)), "--out", pairs],
            done / "pairs")
        shared = ["--data", pairs, "--sides", "noisy", "good", "--source", pairs / "sources.json", "--targets", pairs / "targets.json", "--edits",
                  "--encode-anew", "--muon", "--teacher", teacher / "model", "--epochs", options.epochs, "--sentences", options.sentences,
                  "--warmup", 200, "--dropout", 0.03, "--batch-tokens", 4000, "--threads", options.threads]
        recipes = {
            "ctc": ("train_ctc", ["--source-layers", 1, "--frame-layers", 1, "--rate", 2e-3]),
            "edit": ("train_levenshtein", ["--edit-source", "--layers", 2, "--smoothing", 0.02, "--rate", 1.5e-3]),
        }
        for student in options.students:
            name, own = recipes[student]
            run(f"student {student}", [*recipe(name), *shared, *own, "--out", work / student], done / student)
            folders[student] = work / student / "model"
    run("export", [*recipe("export_model"), *(part for name, folder in folders.items() for part in (f"--{name}", folder)), "--out", exported])
    if "ctc" in folders:
        ctc = exported / "ctc"
        vocabulary_size = json.loads((exported / "teacher" / "config.json").read_text())["vocab_size"]
        run("n-grams", [*recipe("make_ngrams"), "--targets", pairs / "targets.json", "--vocabulary-size", vocabulary_size, "--least", 4, "--out", ctc])
        run("shortlist", [*recipe("make_shortlist"), "--student", folders["ctc"], "--source", pairs / "sources.json",
                          "--targets", pairs / "targets.json", "--out", ctc])
    students = [part for name in options.students for part in (f"--{name}", exported / name)]
    run("model folder", ["node", CLI, "import", exported / "teacher", *students, *handed_on(options, ("out", "name", "licence"))])
    print(f"\n{options.out} is ready. Try it:\n\n    foretoken correct --model {options.out} --text \"...\"")


if __name__ == "__main__":
    main()
