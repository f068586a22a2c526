"""Writes a tiny Llama of random weights as a folder of onnxruntime-genai, with what transformers computes of the same weights.

    python make_genai_fixture.py --out ../../packages/models/test/goldens/exports/genai

Products are `MatMulNBits` in 4 bits with blocks of 16, attention is `GroupQueryAttention` with rotary positions, as the model builder
of onnxruntime-genai makes them; inputs and outputs have names of their own. Needs onnx beside requirements.txt.
"""
from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from make_export_fixtures import END, PAD, PROMPTS, START, TOKENS, goldens, letters
from onnx import TensorProto, helper, numpy_helper
from transformers import LlamaConfig, LlamaForCausalLM

BLOCK, LAYERS, HEADS, PAIRS, WIDTH, INNER, LENGTH = 16, 2, 2, 1, 32, 48, 64
SIZE = WIDTH // HEADS
CONTRIB = "com.microsoft"


def quantise(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of 4 bits around 8 with a scale for each block, two in a byte; and the matrix that they stand for."""
    rows, columns = matrix.shape
    blocks = matrix.reshape(rows, columns // BLOCK, BLOCK)
    scales = (np.abs(blocks).max(axis=2) / 7).astype(np.float32)
    levels = np.clip(np.round(blocks / scales[..., None]) + 8, 0, 15).astype(np.uint8)
    packed = levels[..., 0::2] | (levels[..., 1::2] << 4)
    return packed, scales.reshape(-1), ((levels.astype(np.float32) - 8) * scales[..., None]).reshape(rows, columns)


def graph_of(model: LlamaForCausalLM) -> onnx.ModelProto:
    """The graph of a model, whose products are replaced by those that the graph's 4 bits stand for."""
    nodes, weights = [], []
    state = model.state_dict()

    def weight(name: str, values: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes) -> str:
        nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def linear(name: str, value: str) -> str:
        packed, scales, meant = quantise(state[f"{name}.weight"].numpy())
        state[f"{name}.weight"].copy_(torch.from_numpy(meant))
        inputs = [value, weight(f"{name}.q4", packed), weight(f"{name}.scales", scales)]
        return node("MatMulNBits", inputs, [f"{name}.out"], CONTRIB, N=meant.shape[0], K=meant.shape[1], bits=4, block_size=BLOCK)

    def norm(name: str, value: str) -> str:
        inputs = [value, weight(f"{name}.weight", state[f"{name}.weight"].numpy())]
        return node("SimplifiedLayerNormalization", inputs, [f"{name}.out"], epsilon=model.config.rms_norm_eps)

    # Lengths as the attention takes them, of the mask.
    sums = node("ReduceSum", ["mask", weight("one", np.array([1], np.int64))], ["mask.sum"], keepdims=0)
    last = node("Cast", [node("Sub", [sums, "one"], ["mask.last"])], ["lengths"], to=TensorProto.INT32)
    width = node("Gather", [node("Shape", ["mask"], ["mask.shape"]), weight("axis", np.array(1, np.int64))], ["mask.width"], axis=0)
    total = node("Cast", [width], ["total"], to=TensorProto.INT32)
    angles = np.outer(np.arange(LENGTH), model.config.rope_theta ** (-np.arange(0, SIZE, 2) / SIZE)).astype(np.float32)
    cos, sin = weight("cos", np.cos(angles)), weight("sin", np.sin(angles))
    hidden = node("Gather", [weight("table", state["model.embed_tokens.weight"].numpy()), "tokens"], ["embedded"])
    caches = []
    for layer in range(LAYERS):
        at = f"model.layers.{layer}"
        normed = norm(f"{at}.input_layernorm", hidden)
        query, key, value = (linear(f"{at}.self_attn.{part}_proj", normed) for part in "qkv")
        past = [f"old_key_{layer}", f"old_value_{layer}"]
        present = [f"new_key_{layer}", f"new_value_{layer}"]
        caches.append((past, present))
        attended = node(
            "GroupQueryAttention", [query, key, value, *past, last, total, cos, sin], [f"{at}.attended", *present], CONTRIB,
            num_heads=HEADS, kv_num_heads=PAIRS, do_rotary=1, rotary_interleaved=0,
        )
        hidden = node("Add", [hidden, linear(f"{at}.self_attn.o_proj", attended)], [f"{at}.middle"])
        normed = norm(f"{at}.post_attention_layernorm", hidden)
        gate = linear(f"{at}.mlp.gate_proj", normed)
        gate = node("Mul", [gate, node("Sigmoid", [gate], [f"{at}.sigmoid"])], [f"{at}.gate"])
        inner = node("Mul", [gate, linear(f"{at}.mlp.up_proj", normed)], [f"{at}.inner"])
        hidden = node("Add", [hidden, linear(f"{at}.mlp.down_proj", inner)], [f"{at}.end"])
    node("Identity", [linear("lm_head", norm("model.norm", hidden))], ["scores"])
    model.load_state_dict(state)

    def info(name: str, kind: int, shape: list) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    floats = TensorProto.FLOAT
    inputs = [info("tokens", TensorProto.INT64, ["batch", "length"]), info("mask", TensorProto.INT64, ["batch", "total"])]
    outputs = [info("scores", floats, ["batch", "length", len(TOKENS)])]
    for past, present in caches:
        inputs += [info(name, floats, ["batch", PAIRS, "past", SIZE]) for name in past]
        outputs += [info(name, floats, ["batch", PAIRS, "total", SIZE]) for name in present]
    graph = helper.make_graph(nodes, "genai", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    folder = parser.parse_args().out
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(TOKENS), hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=PAIRS, max_position_embeddings=LENGTH, pad_token_id=PAD, eos_token_id=END, bos_token_id=START,
        initializer_range=0.5, tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with torch.no_grad():
        onnx.save(
            graph_of(model), folder / "decoder.onnx", save_as_external_data=True, location="decoder.onnx.data", size_threshold=64,
        )
    (folder / "expected.json").write_text(json.dumps(goldens(model), separators=(",", ":")) + "\n")
    decoder = {
        "filename": "decoder.onnx", "head_size": SIZE, "hidden_size": WIDTH, "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS, "num_key_value_heads": PAIRS, "session_options": {"provider_options": []},
        "inputs": {
            "input_ids": "tokens", "attention_mask": "mask", "past_key_names": "old_key_%d", "past_value_names": "old_value_%d",
        },
        "outputs": {"logits": "scores", "present_key_names": "new_key_%d", "present_value_names": "new_value_%d"},
    }
    said = {
        "model": {
            "type": "llama", "bos_token_id": START, "eos_token_id": [END], "pad_token_id": PAD, "vocab_size": len(TOKENS),
            "context_length": LENGTH, "decoder": decoder,
        },
        "search": {"do_sample": False, "max_length": LENGTH, "num_beams": 1, "past_present_share_buffer": True, "top_k": 1},
    }
    (folder / "genai_config.json").write_text(json.dumps(said, indent=2) + "\n")
    letters(False).save(str(folder / "tokenizer.json"))


if __name__ == "__main__":
    main()
