"""Writes what the peers of SmolLM2 read, from the GGUF file that Foretoken imports: an ONNX export for transformers.js, as fp32 and
with 4-bit weights, and a GGUF file of fp32 for llama.cpp. `npm run bench -- models` times them where FORETOKEN_PEERS names the folder.

    npm run real-models -- smollm2
    pip install torch transformers==4.57.6 gguf onnx onnxruntime==1.23.2 optimum-onnx
    python make_smollm2_peers.py --gguf SmolLM2-135M-Instruct.Q4_1.gguf --out peers
    cd peers && npm install --ignore-scripts @huggingface/transformers node-llama-cpp
"""
from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, dequantize
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from optimum.exporters.onnx import main_export
from transformers import AutoModelForCausalLM, AutoTokenizer

#: Products of whole numbers, as Foretoken's imports have them.
INTEGER_PRODUCTS = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    folder = args.out / "smollm2"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    write_export(args.gguf, folder)
    write_fp32(args.gguf, folder / "smollm2-f32.gguf")


def write_export(gguf: Path, folder: Path) -> None:
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    weights = folder / "weights"
    AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).save_pretrained(weights)
    AutoTokenizer.from_pretrained(**where).save_pretrained(weights)
    main_export(weights, output=folder, task="text-generation-with-past", library_name="transformers", do_validation=False)
    shutil.rmtree(weights)
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    quantiser = MatMulNBitsQuantizer(
        onnx.load(folder / "onnx" / "model.onnx"), block_size=32, is_symmetric=True, accuracy_level=INTEGER_PRODUCTS
    )
    quantiser.process()
    quantiser.model.save_model_to_file(str(folder / "onnx" / "model_q4.onnx"), use_external_data_format=False)


def write_fp32(gguf: Path, target: Path) -> None:
    reader = GGUFReader(gguf)
    writer = GGUFWriter(target, str(reader.get_field("general.architecture").contents()))
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        inner = field.types[1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, values, raw_dtype=GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
