"""Trains the textbook's two models on the three writers of docs/guide/write-a-model.md and exports them to ONNX.

    python make_textbook_models.py --out ../../docs/examples/write-a-model/model

The recurrent network reads the token written last, the digit to be written next and its own state, and scores the next token. The
position-wise network scores a token from the digit at its position, and from whether it is the first. It is trained twice: on what the
writers write (fill-mixed.onnx), and on what the recurrent network says (fill.onnx). A minute on one core; the files are kilobytes.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor, nn

TOKENS = ["<end>", "<mask>", "<start>", "1", "2", "3", "eins", "zwei", "drei", "one", "two", "three"]
END, START, DIGITS = 0, 2, (3, 4, 5)
WIDTH, LENGTH, MAX_DIGITS = 16, 8, 30
SHARES = (0.4, 0.31, 0.29)


class RecurrentNetwork(nn.Module):
    """int32 token_ids and digits [lanes, length], state [lanes, width] to states [lanes, length, width] and logits."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(len(TOKENS), 8)
        self.digits = nn.Embedding(len(TOKENS), 8)
        self.cell = nn.GRU(16, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH + 8, len(TOKENS))

    def forward(self, token_ids: Tensor, digits: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        digit = self.digits(digits)
        states, _ = self.cell(torch.cat([self.tokens(token_ids), digit], -1), state.unsqueeze(0))
        return states, self.head(torch.cat([states, digit], -1))


class PositionWiseNetwork(nn.Module):
    """int32 digits [rows, length] to logits [rows, length, vocab]; no position sees another."""

    def __init__(self) -> None:
        super().__init__()
        self.digits = nn.Embedding(len(TOKENS), 8)
        self.layers = nn.Sequential(nn.Linear(9, 24), nn.ReLU(), nn.Linear(24, len(TOKENS)))

    def forward(self, digits: Tensor) -> Tensor:
        first = (torch.cumsum(torch.ones_like(digits), 1) == 1).to(torch.float32).unsqueeze(-1)
        return self.layers(torch.cat([self.digits(digits), first], -1))


def sources(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Digits [count, LENGTH + 1], the end behind them, and how many there are."""
    digits = torch.randint(DIGITS[0], DIGITS[-1] + 1, (count, LENGTH + 1), generator=generator)
    lengths = torch.randint(1, LENGTH + 1, (count, 1), generator=generator)
    return torch.where(torch.arange(LENGTH + 1) < lengths, digits, END), lengths


def written(digits: Tensor, writer: int) -> Tensor:
    """What a writer writes for digits; the end stays the end."""
    shift = torch.full_like(digits, (3, 6, 0)[writer])
    if writer == 2:
        shift[:, 0] = 6
    return torch.where(digits == END, END, digits + shift)


def loss_of(logits: Tensor, targets: Tensor, lengths: Tensor, extra: int) -> Tensor:
    """Mean cross-entropy of the tokens, and of `extra` ends."""
    losses = nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    seen = torch.arange(targets.shape[1]) < lengths + extra
    return (losses * seen).sum() / seen.sum()


def train(network: nn.Module, steps: int, loss) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(7)
    for _ in range(steps):
        digits, lengths = sources(64, generator)
        optimizer.zero_grad()
        loss(digits, lengths).backward()
        optimizer.step()
        schedule.step()


def recurrent_loss(network: RecurrentNetwork):
    def loss(digits: Tensor, lengths: Tensor) -> Tensor:
        total = torch.zeros(())
        # Every writer, in proportion: the shares are exact, so the network's probabilities come close to them.
        for writer, share in enumerate(SHARES):
            targets = written(digits, writer)
            before = torch.cat([torch.full_like(targets[:, :1], START), targets[:, :-1]], 1)
            _, logits = network(before, digits, torch.zeros(len(digits), WIDTH))
            total = total + share * loss_of(logits, targets, lengths, 1)
        return total

    return loss


@torch.no_grad()
def greedy(network: RecurrentNetwork, digits: Tensor) -> Tensor:
    state, token, tokens = torch.zeros(len(digits), WIDTH), torch.full((len(digits), 1), START), []
    for position in range(digits.shape[1]):
        states, logits = network(token, digits[:, position : position + 1], state)
        state, token = states[:, -1], logits[:, -1].argmax(-1, keepdim=True)
        tokens.append(token)
    return torch.cat(tokens, 1)


def export(network: nn.Module, example: tuple[Tensor, ...], path: Path, inputs: list[str], outputs: list[str]) -> None:
    axes = {name: {0: "rows", 1: "length"} for name in [*inputs, *outputs] if name != "state"}
    axes |= {"state": {0: "rows"}} if "state" in inputs else {}
    torch.onnx.export(
        network, example, path, input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False
    )
    print(path.name, path.stat().st_size, "bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)

    network = RecurrentNetwork()
    train(network, arguments.steps, recurrent_loss(network))
    mixed, distilled = PositionWiseNetwork(), PositionWiseNetwork()
    train(
        mixed,
        arguments.steps,
        lambda digits, lengths: sum(
            share * loss_of(mixed(digits), written(digits, writer), lengths, 0) for writer, share in enumerate(SHARES)
        ),
    )
    train(distilled, arguments.steps, lambda digits, lengths: loss_of(distilled(digits), greedy(network, digits), lengths, 0))

    example = torch.tensor([[3, 4, 5]], dtype=torch.int32)
    state = torch.zeros(1, WIDTH)
    export(network, (example, example, state), arguments.out / "rnn.onnx", ["token_ids", "digits", "state"], ["states", "logits"])
    export(mixed, (example,), arguments.out / "fill-mixed.onnx", ["digits"], ["logits"])
    export(distilled, (example,), arguments.out / "fill.onnx", ["digits"], ["logits"])

    source = torch.tensor([[3, 4, 5, END]])
    with torch.no_grad():
        _, logits = network(torch.tensor([[START, 9]]), source[:, :2], state)
        goldens = {
            "source": "1 2 3",
            "greedy": [TOKENS[token] for token in greedy(network, source)[0].tolist()],
            "mixed": [TOKENS[token] for token in mixed(source[:, :3])[0].argmax(-1).tolist()],
            "distilled": [TOKENS[token] for token in distilled(source[:, :3])[0].argmax(-1).tolist()],
            "afterOne": [round(value, 6) for value in torch.log_softmax(logits[0, 1], -1).tolist()],
        }
    (arguments.out / "goldens.json").write_text(json.dumps(goldens) + "\n")
    print(goldens, torch.softmax(logits[0], -1))


if __name__ == "__main__":
    main()
