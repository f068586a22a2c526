"""Writes the translation model of the repository as Optimum exports it, with tokenizer.json, in the layout of transformers.js.
`npm run bench -- models` times it where FORETOKEN_PEERS names the folder.

    pip install torch transformers==4.57.6 onnx onnxruntime==1.23.2 optimum-onnx
    python apps/distill/restore_model.py --model packages/model-multi30k-en-de/model --out restored
    python make_teacher_export.py --weights restored/teacher/model --out peers
    cd peers && npm install --ignore-scripts @huggingface/transformers
"""
from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from optimum.exporters.onnx import onnx_export_from_model
from transformers import MarianMTModel


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    folder = args.out / "teacher"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    model = MarianMTModel.from_pretrained(args.weights, dtype=torch.float32).eval()
    onnx_export_from_model(model, output=folder, task="text2text-generation-with-past", do_validation=False)
    for graph in folder.glob("*.onnx"):
        graph.rename(folder / "onnx" / graph.name)
    shutil.copy(args.weights / "tokenizer.json", folder)


if __name__ == "__main__":
    main()
