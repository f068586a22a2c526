"""Decodes the cases of a row of `npm run bench -- models` by the package they come from, as often as it is asked to: every line that is
read is answered by the seconds of processor time that all cases took, one after the other. It needs what make_goldens.py does.

    python package_peer.py --models ../../../../.real-models --cases hama-g2p
"""
from __future__ import annotations

import argparse
import base64
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import onnxruntime

import make_goldens
from make_goldens import HERE

Decode = tuple[Callable[[object], object], Iterable]


def on_one_thread() -> None:
    """Packages that leave the number of threads to the runtime get one, as the other side has."""
    plain = onnxruntime.InferenceSession

    def session(graph, sess_options=None, *more, **options):
        chosen = sess_options or onnxruntime.SessionOptions()
        chosen.intra_op_num_threads = chosen.inter_op_num_threads = 1
        return plain(graph, chosen, *more, **options)

    onnxruntime.InferenceSession = session


def pp_ocr(models: Path, goldens: list) -> Decode:
    def image(crop: dict) -> np.ndarray:
        grey = np.frombuffer(zlib.decompress(base64.b64decode(crop["grey"])), np.uint8).reshape(48, crop["width"])
        return np.repeat(grey[:, :, None], 3, axis=2)

    return make_goldens.recogniser(models), [image(crop) for crop in goldens]


def hama_asr(models: Path, goldens: list) -> Decode:
    model, waveform, rate = make_goldens.listener(models)
    return lambda sound: model(sound, rate), [waveform[row["begin"] : row["end"]] for row in goldens]


def hama_g2p(models: Path, goldens: list) -> Decode:
    model = make_goldens.speaker(models)
    return lambda word: model._predict_single_split(text=word, base_char_index=0), make_goldens.spoken_words()


def romanizer(language: str) -> Callable[[Path, list], Decode]:
    def cases(models: Path, goldens: list) -> Decode:
        beams = make_goldens.romanized(models, language)
        return lambda ids: beams(ids, 4), [ids for ids, _ in goldens]

    return cases


def g2p_en(models: Path, goldens: list) -> Decode:
    return make_goldens.pronouncer(models), [word for word, _ in goldens]


CASES = {
    "pp-ocr": pp_ocr, "hama-asr": hama_asr, "hama-g2p": hama_g2p, "romanizer-arabic": romanizer("arabic"),
    "romanizer-persian": romanizer("persian"), "g2p-en": g2p_en,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--cases", choices=CASES, required=True)
    arguments = parser.parse_args()
    on_one_thread()
    goldens = json.loads((HERE / f"{arguments.cases}.json").read_text(encoding="utf-8"))
    decode, cases = CASES[arguments.cases](arguments.models, goldens)
    for _ in sys.stdin:
        began = time.process_time()
        for case in cases:
            decode(case)
        print(json.dumps(time.process_time() - began), flush=True)


if __name__ == "__main__":
    main()
