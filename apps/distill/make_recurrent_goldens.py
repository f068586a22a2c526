"""Writes tiny random recurrent models as weights folders, with what torch.nn.RNN, LSTM and GRU compute of them: the goldens that hold
Foretoken's recurrent importer to another implementation.

    python make_recurrent_goldens.py --out ../../packages/importers/test/goldens/recurrent
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

WIDTH, EMBEDDING, SOURCE, TARGET, ATTENTION = 6, 5, 9, 11, 4
START, END = 1, 2
SOURCES = [[3, 4, 5, 6, 2], [7, 2], [8, 3, 8, 2, 4, 5, 2]]
OUTPUT = [START, 4, 9, 4, 3]

#            name            cell    layers directions attention   place
MODELS = [
    ("rnn", "rnn", 1, 1, "none", "after"),
    ("rnn-relu-before", "rnn-relu", 1, 1, "dot", "before"),
    ("gru", "gru", 1, 1, "none", "after"),
    ("gru-two", "gru", 2, 2, "general", "after"),
    ("gru-additive", "gru", 1, 1, "additive", "before"),
    ("lstm", "lstm", 2, 1, "none", "after"),
    ("lstm-additive", "lstm", 1, 2, "additive", "after"),
    ("lstm-dot", "lstm", 2, 1, "dot", "before"),
    ("gru-language", "gru", 2, 1, "none", "language"),
    ("lstm-language", "lstm", 1, 1, "none", "language"),
]


def layer(cell: str, inputs: int, width: int, layers: int, directions: int) -> nn.Module:
    if cell == "rnn-relu":
        return nn.RNN(inputs, width, layers, nonlinearity="relu", batch_first=True, bidirectional=directions == 2)
    kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    return kind(inputs, width, layers, batch_first=True, bidirectional=directions == 2)


class Model(nn.Module):
    def __init__(self, cell: str, layers: int, directions: int, attention: str, place: str) -> None:
        super().__init__()
        self.cell, self.kind, self.place, self.layers = cell, attention, place, layers
        if place != "language":
            self.encoder = nn.ModuleDict({
                "embedding": nn.Embedding(SOURCE, EMBEDDING), "rnn": layer(cell, EMBEDDING, WIDTH // directions, layers, directions),
            })
        inputs = EMBEDDING + (WIDTH if attention != "none" and place == "before" else 0)
        self.decoder = nn.ModuleDict({
            "embedding": nn.Embedding(TARGET, EMBEDDING), "rnn": layer(cell, inputs, WIDTH, layers, 1), "out": nn.Linear(WIDTH, TARGET),
        })
        parts: dict[str, nn.Module] = {}
        if attention == "general":
            parts["query"] = nn.Linear(WIDTH, WIDTH, bias=False)
        if attention == "additive":
            parts |= {"query": nn.Linear(WIDTH, ATTENTION), "key": nn.Linear(WIDTH, ATTENTION), "score": nn.Linear(ATTENTION, 1, bias=False)}
        if attention != "none" and place == "after":
            parts["combine"] = nn.Linear(2 * WIDTH, WIDTH)
        if parts:
            self.attention = nn.ModuleDict(parts)

    def context(self, state: Tensor, memory: Tensor) -> Tensor:
        """state [width], memory [time, width]"""
        if self.kind == "additive":
            scores = self.attention["score"](torch.tanh(self.attention["query"](state) + self.attention["key"](memory)))[:, 0]
        else:
            scores = memory @ (state if self.kind == "dot" else self.attention["query"](state))
        return torch.softmax(scores, 0) @ memory

    def start(self, source: list[int]) -> tuple[object, Tensor | None]:
        if self.place == "language":
            zeros = torch.zeros(self.layers, 1, WIDTH)
            return ((zeros, zeros) if self.cell == "lstm" else zeros), None
        states, last = self.encoder["rnn"](self.encoder["embedding"](torch.tensor([source])))

        def beside(value: Tensor) -> Tensor:
            # [layers * directions, 1, width of a direction] to [layers, 1, width]
            return value.reshape(self.layers, -1, 1, value.shape[-1]).permute(0, 2, 1, 3).reshape(self.layers, 1, WIDTH)

        return (tuple(map(beside, last)) if self.cell == "lstm" else beside(last)), states[0]

    def logits(self, source: list[int], output: list[int]) -> list[list[float]]:
        state, memory = self.start(source)
        rows = []
        for token in output:
            x = self.decoder["embedding"](torch.tensor([token]))
            if self.kind != "none" and self.place == "before":
                top = (state[0] if self.cell == "lstm" else state)[-1, 0]
                x = torch.cat([x, self.context(top, memory)[None]], 1)
            result, state = self.decoder["rnn"](x[None], state)
            top = result[0, 0]
            if self.kind != "none" and self.place == "after":
                top = torch.tanh(self.attention["combine"](torch.cat([top, self.context(top, memory)])))
            rows.append([round(value, 6) for value in self.decoder["out"](top).tolist()])
        return rows

    def greedy(self, source: list[int], prefix: list[int], count: int) -> list[int]:
        output = list(prefix)
        while len(output) - len(prefix) < count:
            token = int(np.argmax(self.logits(source, output)[-1]))
            if token == END:
                break
            output.append(token)
        return output[len(prefix):]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    expected = {}
    for index, (name, cell, layers, directions, attention, place) in enumerate(MODELS):
        torch.manual_seed(index)
        model = Model(cell, layers, directions, attention, place).eval()
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.7)
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "model_type": "foretoken-recurrent", "cell": cell.split("-")[0], "num_layers": layers, "hidden_size": WIDTH,
            "embedding_size": EMBEDDING, "vocab_size": TARGET, "bos_token_id": START, "eos_token_id": END, "max_length": 24,
        }
        if cell == "rnn-relu":
            config["activation"] = "relu"
        if place != "language":
            config |= {"source_vocab_size": SOURCE, "max_source_length": 16, "bidirectional": directions == 2}
        if attention != "none":
            config |= {"attention": attention, "attention_place": place, "attention_size": ATTENTION}
        symbols = {"target": ["<pad>", "<s>", "</s>", *"abcdefgh"], "hidden": [0, 1]}
        symbols |= {} if place == "language" else {"source": ["<pad>", "<unk>", "</s>", *"uvwxyz"], "unknownTokenId": 1, "endTokenId": 2}
        weights = {key: value.detach().contiguous() for key, value in model.state_dict().items()}
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        (folder / "symbols.json").write_text(json.dumps(symbols) + "\n")
        if index % 3 == 2:
            np.savez_compressed(folder / "weights.npz", **{key: value.numpy() for key, value in weights.items()})
        else:
            save_file(weights, folder / "model.safetensors")
        with torch.no_grad():
            rows = [[4, 5], [3], [6, 7, 8]] if place == "language" else SOURCES
            prefix = [[START, *row] if place == "language" else [START] for row in rows]
            expected[name] = {
                "sources": rows,
                "output": OUTPUT[1:],
                "logits": [model.logits(row, [*begin, *OUTPUT[1:]])[len(begin) - 1:] for row, begin in zip(rows, prefix)],
                "greedy": [model.greedy(row, begin, 8) for row, begin in zip(rows, prefix)],
            }
    (out / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
