"""Writes tiny random students as weights folders, with what they compute by the formulas of their formats in plain PyTorch:
the goldens that hold Foretoken's importers and families to another implementation.

    python make_student_goldens.py --out ../../packages/models/test/goldens/students
"""
from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

WIDTH, HEADS, HIDDEN, VOCABULARY, POSITIONS = 8, 2, 12, 17, 12
END, MASK, START = 2, 15, 16
UPSAMPLE, LINK_HEADS, LENGTH_CLASSES, LENGTH_OFFSET, PLACEHOLDERS = 3, 2, 8, 4, 3
HEAD = [9, 3, 4, 14, 5, 7, 11, 6, 13]
Weights = dict[str, Tensor]
LatticePath = tuple[list[int], list[int]]


def layer_shapes(prefix: str, cross: bool) -> dict[str, tuple[int, ...]]:
    """Tensors of one post-norm layer, named as in Hugging Face Marian models."""
    shapes: dict[str, tuple[int, ...]] = {}
    for block in ["self_attn", *(["encoder_attn"] if cross else [])]:
        for part in ["q_proj", "k_proj", "v_proj", "out_proj"]:
            shapes |= {f"{prefix}.{block}.{part}.weight": (WIDTH, WIDTH), f"{prefix}.{block}.{part}.bias": (WIDTH,)}
        shapes |= {f"{prefix}.{block}_layer_norm.{part}": (WIDTH,) for part in ["weight", "bias"]}
    return shapes | {
        f"{prefix}.fc1.weight": (HIDDEN, WIDTH), f"{prefix}.fc1.bias": (HIDDEN,),
        f"{prefix}.fc2.weight": (WIDTH, HIDDEN), f"{prefix}.fc2.bias": (WIDTH,),
        f"{prefix}.final_layer_norm.weight": (WIDTH,), f"{prefix}.final_layer_norm.bias": (WIDTH,),
    }


def linear_shapes(name: str, outputs: int, inputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def spread(name: str) -> float:
    """Small biases and sharp attention: positions must stay apart through the layers for the goldens to tell them apart."""
    if name.endswith("bias"):
        return 0.1
    return 0.9 if "q_proj" in name or "k_proj" in name or name.startswith(("links", "placeholder")) else 0.4


def draw(shapes: dict[str, tuple[int, ...]], seed: int) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    centre = lambda name: 1.0 if name.endswith("layer_norm.weight") else 0.0
    return {name: torch.randn(shape, generator=generator) * spread(name) + centre(name) for name, shape in shapes.items()}


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def sinusoids(count: int) -> Tensor:
    rates = 10000.0 ** (-2.0 * torch.arange(WIDTH // 2, dtype=torch.float64) / WIDTH)
    angles = torch.arange(count, dtype=torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


def attend(weights: Weights, prefix: str, x: Tensor, memory: Tensor) -> Tensor:
    """Multi-head attention of `x [queries, width]` to `memory [keys, width]`, head by head."""
    query = linear(weights, f"{prefix}.q_proj", x)
    key, value = linear(weights, f"{prefix}.k_proj", memory), linear(weights, f"{prefix}.v_proj", memory)
    size = WIDTH // HEADS
    heads = []
    for begin in range(0, WIDTH, size):
        part = slice(begin, begin + size)
        heads.append((query[:, part] @ key[:, part].T / math.sqrt(size)).softmax(dim=-1) @ value[:, part])
    return linear(weights, f"{prefix}.out_proj", torch.cat(heads, dim=1))


def normalise(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-5)


def layer(weights: Weights, prefix: str, x: Tensor, memory: Tensor | None = None) -> Tensor:
    x = normalise(weights, f"{prefix}.self_attn_layer_norm", x + attend(weights, f"{prefix}.self_attn", x, x))
    if memory is not None:
        read = attend(weights, f"{prefix}.encoder_attn", x, memory)
        x = normalise(weights, f"{prefix}.encoder_attn_layer_norm", x + read)
    inner = F.silu(linear(weights, f"{prefix}.fc1", x))
    return normalise(weights, f"{prefix}.final_layer_norm", x + linear(weights, f"{prefix}.fc2", inner))


def encode(marian: Weights, source: list[int], layers: int = 2) -> Tensor:
    x = marian["model.shared.weight"][source] * math.sqrt(WIDTH) + sinusoids(len(source))
    for index in range(layers):
        x = layer(marian, f"model.encoder.layers.{index}", x)
    return x


def frames(weights: Weights, states: Tensor) -> tuple[Tensor, Tensor]:
    """Frames of a CTC student or vertices of a DAG student, before its head, and the sinusoids of their positions."""
    x = layer(weights, "source_layers.0", states)
    x = linear(weights, "upsample", x).view(UPSAMPLE * len(states), WIDTH)
    position = sinusoids(len(x))
    return layer(weights, "frame_layers.0", x + position), position


def best_path(ctc: Weights, states: Tensor) -> tuple[list[int], list[int]]:
    """The label that each frame of a CTC student says, and the frames where a token begins: a new label, not the blank."""
    labels = linear(ctc, "head", frames(ctc, states)[0]).argmax(dim=-1).tolist()
    before = [len(HEAD), *labels]
    return labels, [i for i, label in enumerate(labels) if label not in (len(HEAD), before[i])]


def hint(ctc: Weights, embedding: Tensor, states: Tensor, path: LatticePath | None = None) -> Tensor:
    """The frames where the tokens of a path begin, and the tokens' embeddings, `[tokens, 2 * width]`; default: the best path."""
    if path is None:
        labels, begins = best_path(ctc, states)
        path = [HEAD[labels[frame]] for frame in begins], begins
    tokens, begins = path
    return torch.cat([frames(ctc, states)[0][begins], embedding[tokens] * math.sqrt(WIDTH)], dim=1)


def canvas_states(weights: Weights, embedding: Tensor, canvas: list[int], memory: Tensor | None,
                  tokens: Tensor | None = None, shift: int = 0) -> Tensor:
    rows = [weights["embed.mask"] if token == MASK else embedding[token] * math.sqrt(WIDTH) for token in canvas]
    x = torch.stack(rows) + sinusoids(len(canvas))
    if tokens is not None:
        for position in range(shift, min(len(canvas), shift + len(tokens))):
            x[position] += weights["hints.weight"] @ tokens[position - shift]
    for index in range(2):
        x = layer(weights, f"layers.{index}", x, memory)
    return x


def token_log_probs(weights: Weights, x: Tensor) -> list[list[float | None]]:
    """Over the vocabulary; null for tokens that the head has no row for."""
    scores = linear(weights, "head", x).log_softmax(dim=-1)
    full = torch.full((len(x), VOCABULARY), -torch.inf)
    full[:, weights["head.token_ids"].long()] = scores
    return numbers(full)


def label_log_probs(ctc: Weights, states: Tensor) -> list[list[float | None]]:
    """Of each frame of a CTC student, over the vocabulary and then the blank; null for tokens that the head has no row for."""
    full = torch.full((UPSAMPLE * len(states), VOCABULARY + 1), -torch.inf)
    full[:, [*ctc["head.token_ids"].tolist(), VOCABULARY]] = linear(ctc, "head", frames(ctc, states)[0]).log_softmax(dim=-1)
    return numbers(full)


def length_log_probs(weights: Weights, states: Tensor, tokens: Tensor | None) -> dict[str, float]:
    pooled = [states.mean(dim=0), states.amax(dim=0)]
    if tokens is not None:
        more = min(max(len(tokens) - len(states) + LENGTH_OFFSET, 0), LENGTH_CLASSES - 1)
        pooled.append(sinusoids(LENGTH_CLASSES)[more])
    logits = linear(weights, "length.out", F.silu(linear(weights, "length.hidden", torch.cat(pooled))))
    lengths = [len(states) + index - LENGTH_OFFSET for index in range(LENGTH_CLASSES)]
    possible = [index for index, length in enumerate(lengths) if 1 <= length <= POSITIONS]
    log_probs = logits[possible].log_softmax(dim=0)
    return {str(lengths[index]): round(float(value), 6) for index, value in zip(possible, log_probs)}


def dag(weights: Weights, states: Tensor) -> dict[str, object]:
    x, position = frames(weights, states)
    features = torch.cat([x, position], dim=1)
    query, key = linear(weights, "links.query", features), linear(weights, "links.key", features)
    gate = linear(weights, "links.gate", features).log_softmax(dim=-1)
    size = WIDTH // LINK_HEADS
    transitions = torch.full((len(x), len(x)), -torch.inf)
    for u in range(len(x) - 1):
        heads = []
        for head in range(LINK_HEADS):
            part = slice(head * size, (head + 1) * size)
            heads.append(gate[u, head] + (key[u + 1 :, part] @ query[u, part] / math.sqrt(size)).log_softmax(dim=0))
        transitions[u, u + 1 :] = torch.stack(heads).logsumexp(dim=0)
    return {"logProbs": token_log_probs(weights, x), "transitions": numbers(transitions)}


def numbers(rows: Tensor) -> list[list[float | None]]:
    return [[None if value == -math.inf else round(value, 6) for value in row] for row in rows.tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out

    def folder(name: str, config: dict[str, object], weights: Weights) -> Weights:
        (out / name).mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in weights.items()}, out / name / "model.safetensors")
        (out / name / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        return weights

    marian_shapes = {"model.shared.weight": (VOCABULARY, WIDTH), "final_logits_bias": (1, VOCABULARY)}
    for index in range(2):
        marian_shapes |= layer_shapes(f"model.encoder.layers.{index}", False)
    marian_shapes |= layer_shapes("model.decoder.layers.0", True)
    marian = folder("marian", {
        "model_type": "marian", "activation_function": "swish", "d_model": WIDTH, "encoder_layers": 2, "decoder_layers": 1,
        "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS, "encoder_ffn_dim": HIDDEN,
        "decoder_ffn_dim": HIDDEN, "max_position_embeddings": POSITIONS, "vocab_size": VOCABULARY, "scale_embedding": True,
        "eos_token_id": END, "pad_token_id": START, "decoder_start_token_id": START,
    }, draw(marian_shapes, 1))

    head_shapes = linear_shapes("head", len(HEAD), WIDTH)
    common = {"d_model": WIDTH, "attention_heads": HEADS, "ffn_dim": HIDDEN, "activation_function": "swish",
              "max_position_embeddings": POSITIONS, "vocab_size": VOCABULARY, "eos_token_id": END}

    def canvas_folder(name: str, seed: int, cross: bool, config: dict[str, object],
                      shapes: dict[str, tuple[int, ...]]) -> Weights:
        shapes = shapes | head_shapes | {"embed.mask": (WIDTH,)}
        if not cross:
            shapes |= {"embed.weight": (VOCABULARY, WIDTH)}
        for index in range(2):
            shapes |= layer_shapes(f"layers.{index}", cross)
        weights = draw(shapes, seed) | {"head.token_ids": torch.tensor(HEAD, dtype=torch.int32)}
        return folder(name, common | {"layers": 2, "mask_token_id": MASK, "cross_attention": cross} | config, weights)

    canvas_config = {"model_type": "foretoken-canvas", "length_classes": LENGTH_CLASSES, "length_offset": LENGTH_OFFSET}
    lengths_shapes = lambda pooled: linear_shapes("length.hidden", WIDTH, pooled * WIDTH) | linear_shapes(
        "length.out", LENGTH_CLASSES, WIDTH)
    edit_config = {"model_type": "foretoken-edit", "max_placeholders": PLACEHOLDERS, "start_token_id": START}
    edit_shapes = linear_shapes("deletion", 2, WIDTH) | linear_shapes("placeholder", PLACEHOLDERS + 1, 2 * WIDTH)
    canvas = canvas_folder("canvas", 2, True, canvas_config, lengths_shapes(2))
    edit = canvas_folder("edit", 3, True, edit_config, edit_shapes)
    masked = canvas_folder(
        "masked-lm", 4, False, {"model_type": "foretoken-canvas", "length_classes": 0, "length_offset": 0}, {})
    frame_shapes = layer_shapes("source_layers.0", False) | layer_shapes("frame_layers.0", False)
    frame_shapes |= linear_shapes("upsample", UPSAMPLE * WIDTH, WIDTH)
    frame_config = {"source_layers": 1, "frame_layers": 1, "upsample": UPSAMPLE,
                    "max_position_embeddings": UPSAMPLE * POSITIONS}
    dag_tokens = [END, START, *HEAD]
    dag_shapes = frame_shapes | linear_shapes("head", len(dag_tokens), WIDTH)
    for name, outputs in [("query", WIDTH), ("key", WIDTH), ("gate", LINK_HEADS)]:
        dag_shapes |= linear_shapes(f"links.{name}", outputs, 2 * WIDTH)
    dag_config = {"model_type": "foretoken-dag"} | frame_config | {"link_heads": LINK_HEADS, "start_token_id": START}
    dag_weights = folder("dag", common | dag_config,
                         draw(dag_shapes, 5) | {"head.token_ids": torch.tensor(dag_tokens, dtype=torch.int32)})
    # The last row of a CTC head is the blank's. With this seed best paths have blanks, labels that stay, and tokens said twice.
    ctc = folder("ctc", common | {"model_type": "foretoken-ctc"} | frame_config,
                 draw(frame_shapes | linear_shapes("head", len(HEAD) + 1, WIDTH), 675)
                 | {"head.token_ids": torch.tensor(HEAD, dtype=torch.int32)})
    ctc_fast = folder("ctc-fast", common | {"model_type": "foretoken-ctc", "encoder_layers": 1} | frame_config,
                      draw(frame_shapes | linear_shapes("head", len(HEAD) + 1, WIDTH), 21)
                      | {"head.token_ids": torch.tensor(HEAD, dtype=torch.int32)})
    reads, hint_shapes = {"reads_hints": True}, {"hints.weight": (WIDTH, 2 * WIDTH)}
    canvas_hints = canvas_folder("canvas-hints", 21, True, canvas_config | reads, lengths_shapes(3) | hint_shapes)
    edit_hints = canvas_folder("edit-hints", 14, True, edit_config | reads, edit_shapes | hint_shapes)

    sources = [[5, 9, 4, 11, END], [7, END], [3, 3, 8, 14, 6, 10, 12, 13, 4, END]]
    states = [encode(marian, source) for source in sources]
    canvases = [[0, [MASK, MASK, 4, MASK]], [1, [MASK]], [2, [9, MASK, 3, MASK, MASK, 7, 7, MASK, MASK]], [0, [MASK] * 6]]
    edits = [[0, [START, 4, 9, MASK, 5, END]], [1, [START, END]], [2, [START, 7, MASK, MASK, 3, 3, 14, END]]]
    shared = marian["model.shared.weight"]
    hints = [hint(ctc, shared, x) for x in states]
    # Not the best ones; of the last source nothing is drafted.
    paths: list[LatticePath] = [([4, 4, 9], [1, 2, 7]), ([14], [3]), ([], [])]
    given = [hint(ctc, shared, x, path) for x, path in zip(states, paths)]
    unread = [canvas_states(masked, masked["embed.weight"], tokens, None) for _, tokens in canvases]

    def canvas_golden(weights: Weights, read: list[Tensor | None]) -> dict[str, object]:
        filled = [canvas_states(weights, shared, tokens, states[row], read[row]) for row, tokens in canvases]
        return {
            "canvases": canvases,
            "logProbs": [token_log_probs(weights, x) for x in filled],
            "lengths": [length_log_probs(weights, x, tokens) for x, tokens in zip(states, read)],
        }

    def edit_golden(weights: Weights, read: list[Tensor | None]) -> dict[str, object]:
        # The start token comes before a hint.
        edited = [canvas_states(weights, shared, tokens, states[row], read[row], 1) for row, tokens in edits]
        gaps = [linear(weights, "placeholder", torch.cat([x[:-1], x[1:]], dim=1)) for x in edited]
        deleted = [linear(weights, "deletion", x).log_softmax(-1)[:, 1] for x in edited]
        return {
            "canvases": edits,
            "logProbs": [token_log_probs(weights, x) for x in edited],
            "deletions": [[round(v, 6) for v in x.tolist()] for x in deleted],
            # Where nothing is written yet there is room for the hint.
            "placeholders": [[min(len(read[row]), POSITIONS - 2)] if len(tokens) == 2 and read[row] is not None
                             else x.argmax(-1).tolist() for (row, tokens), x in zip(edits, gaps)],
        }

    expected = {
        "madeBy": "apps/distill/make_student_goldens.py", "torch": torch.__version__, "sources": sources,
        "canvas": canvas_golden(canvas, [None] * len(states)),
        "maskedLanguageModel": {
            "canvases": canvases,
            "logProbs": [token_log_probs(masked, x) for x in unread],
        },
        "edit": edit_golden(edit, [None] * len(states)),
        "dag": [dag(dag_weights, x) for x in states],
        "ctcFast": [label_log_probs(ctc_fast, encode(marian, source, 1)) for source in sources],
        "canvasHints": canvas_golden(canvas_hints, hints),
        "editHints": edit_golden(edit_hints, hints),
        "paths": paths,
        "canvasGiven": canvas_golden(canvas_hints, given),
        "editGiven": edit_golden(edit_hints, given),
    }
    (out / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
