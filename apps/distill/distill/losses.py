"""Vocabulary losses that never keep a graph over `[tokens, vocabulary]`: loss and gradient in one chunked pass."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


class SmoothedCrossEntropy(torch.autograd.Function):
    """Mean label-smoothed cross-entropy in nats of `hidden [tokens, width]` against `labels [tokens]`."""

    @staticmethod
    def forward(context, hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, smoothing: float) -> Tensor:
        count, vocabulary = hidden.shape[0], weight.shape[0]
        grad_hidden = torch.empty_like(hidden)
        trains_weight = weight.requires_grad
        grad_weight = torch.zeros_like(weight) if trains_weight else None
        grad_bias = torch.zeros_like(bias)
        total = hidden.new_zeros(())
        low = smoothing / vocabulary
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        hidden, weight = hidden.to(kind), weight.to(kind)
        for start in range(0, count, 200):
            rows = hidden[start : start + 200]
            label = labels[start : start + 200, None]
            logits = torch.mm(rows, weight.t()).float().add_(bias)
            normaliser = logits.logsumexp(dim=1, keepdim=True)
            chosen = logits.gather(1, label)
            total += (normaliser - (1 - smoothing) * chosen - low * logits.sum(dim=1, keepdim=True)).sum()
            gradient = logits.sub_(normaliser).exp_().sub_(low)
            gradient.scatter_add_(1, label, gradient.new_full(label.shape, smoothing - 1))
            gradient.mul_(1.0 / count)
            grad_bias += gradient.sum(dim=0)
            gradient = gradient.to(kind)
            grad_hidden[start : start + 200] = torch.mm(gradient, weight)
            if grad_weight is not None:
                grad_weight += torch.mm(gradient.t(), rows)
        context.save_for_backward(grad_hidden, grad_bias, *([] if grad_weight is None else [grad_weight]))
        return total / count

    @staticmethod
    def backward(context, upstream: Tensor):
        grad_hidden, grad_bias, *grad_weight = context.saved_tensors
        weight = upstream * grad_weight[0] if grad_weight else None
        return upstream * grad_hidden, weight, upstream * grad_bias, None, None


class CtcLoss(torch.autograd.Function):
    """Mean CTC loss in nats a sentence; only label and blank scores enter the forward-backward recursion.

    `hidden [batch, frames, width]`; `labels [batch, longest]` are indices into the head, padded with -1; the blank
    is the head's last row. PyTorch's `ctc_loss` runs on the gathered columns; since its gradient with respect to
    log-probabilities is `exp(log p) - occupancy`, the occupancies come back from it and are scattered chunk by chunk.
    """

    @staticmethod
    def forward(context, hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, label_lengths: Tensor,
                frame_lengths: Tensor) -> Tensor:
        batch, frames, width = hidden.shape
        blank = weight.shape[0] - 1
        # Column 0 is the blank, column 1 + j the j-th distinct label of the sentence: repeats share a column.
        columns = torch.full((batch, 1 + labels.shape[1]), blank)
        targets = torch.zeros_like(labels)
        for row in range(batch):
            distinct, inverse = labels[row, : label_lengths[row]].unique(return_inverse=True)
            columns[row, 1 : 1 + len(distinct)] = distinct
            targets[row, : label_lengths[row]] = inverse + 1
        valid = torch.arange(frames)[None, :] < frame_lengths[:, None]
        flat = hidden[valid]
        owner = valid.nonzero()[:, 0]
        picked = columns[owner]
        scores = torch.empty(flat.shape[0], columns.shape[1])
        chunks = []
        for start in range(0, flat.shape[0], 200):
            logits = torch.addmm(bias, flat[start : start + 200], weight.t())
            normaliser = logits.logsumexp(dim=1, keepdim=True)
            scores[start : start + 200] = logits.gather(1, picked[start : start + 200]) - normaliser
            chunks.append(logits.sub_(normaliser).exp_())
        with torch.enable_grad():
            gathered = torch.full((batch, frames, columns.shape[1]), -30.0)
            gathered[valid] = scores
            gathered = gathered.transpose(0, 1).contiguous().requires_grad_()
            losses = F.ctc_loss(gathered, targets, frame_lengths, label_lengths, blank=0, reduction="none",
                                zero_infinity=True)
            (gradient,) = torch.autograd.grad(losses.sum(), gathered)
        feasible = (losses > 0).float()[owner, None] / batch
        occupancy = (scores.exp() - gradient.transpose(0, 1)[valid]) * feasible
        # Padding columns repeat the blank; their occupancy is not defined, so it is dropped.
        padding = torch.arange(columns.shape[1])[None, :] > targets.max(dim=1).values[:, None]
        occupancy[padding[owner]] = 0.0
        grad_flat = torch.empty_like(flat)
        grad_weight = torch.zeros_like(weight) if weight.requires_grad else None
        grad_bias = torch.zeros_like(bias)
        for index, start in enumerate(range(0, flat.shape[0], 200)):
            rows = slice(start, start + 200)
            dense = chunks[index].mul_(feasible[rows])
            dense.scatter_add_(1, picked[rows], -occupancy[rows])
            torch.mm(dense, weight, out=grad_flat[rows])
            if grad_weight is not None:
                grad_weight.addmm_(dense.t(), flat[rows])
            grad_bias += dense.sum(dim=0)
        grad_hidden = torch.zeros_like(hidden)
        grad_hidden[valid] = grad_flat
        context.save_for_backward(grad_hidden, grad_bias, *([] if grad_weight is None else [grad_weight]))
        return losses.sum() / batch

    @staticmethod
    def backward(context, upstream: Tensor):
        grad_hidden, grad_bias, *grad_weight = context.saved_tensors
        weight = upstream * grad_weight[0] if grad_weight else None
        return upstream * grad_hidden, weight, upstream * grad_bias, None, None, None


class PickedLogProbs(torch.autograd.Function):
    """Log-probabilities `[rows, picks]` of the head's entries `picked [rows, picks]`, normalised over the whole head."""

    @staticmethod
    def forward(context, hidden: Tensor, weight: Tensor, bias: Tensor, picked: Tensor) -> Tensor:
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        rows, matrix = hidden.to(kind), weight.to(kind)
        scores = torch.empty(picked.shape)
        probabilities = []
        for start in range(0, len(rows), 200):
            part = slice(start, start + 200)
            logits = torch.mm(rows[part], matrix.t()).float().add_(bias)
            normaliser = logits.logsumexp(dim=1, keepdim=True)
            scores[part] = logits.gather(1, picked[part]) - normaliser
            probabilities.append(logits.sub_(normaliser).exp_())
        context.save_for_backward(rows, matrix, picked, *probabilities)
        return scores

    @staticmethod
    def backward(context, upstream: Tensor):
        rows, matrix, picked, *probabilities = context.saved_tensors
        grad_hidden = torch.empty(rows.shape)
        grad_weight = torch.zeros(matrix.shape)
        grad_bias = torch.zeros(len(matrix))
        for index, start in enumerate(range(0, len(rows), 200)):
            part = slice(start, start + 200)
            dense = probabilities[index] * -upstream[part].sum(dim=1, keepdim=True)
            dense.scatter_add_(1, picked[part], upstream[part])
            grad_bias += dense.sum(dim=0)
            dense = dense.to(matrix.dtype)
            grad_hidden[part] = torch.mm(dense, matrix)
            grad_weight += torch.mm(dense.t(), rows[part])
        return grad_hidden, grad_weight, grad_bias, None


def dag_log_likelihood(emissions: Tensor, links: Tensor, target_lengths: Tensor, last: Tensor) -> Tensor:
    """Log-likelihood of each target over all paths, `[batch]` (Huang et al., 2022, section 2.3).

    `emissions [batch, vertices, target]` of the target's tokens in order; `links [batch, from, to]` natural log; a path runs
    from vertex 0 to vertex `last`.
    """
    step = links.exp()
    reach = torch.full(emissions.shape[:2], -1e9)
    reach = torch.cat([emissions[:, :1, 0], reach[:, 1:]], dim=1)
    along = [reach]
    for position in range(1, emissions.shape[2]):
        most = reach.detach().amax(dim=1, keepdim=True).clamp(min=-1e8)
        moved = torch.bmm((reach - most).exp()[:, None], step)[:, 0]
        reach = moved.clamp(min=1e-30).log() + most + emissions[:, :, position]
        along.append(reach)
    rows = torch.arange(len(last))
    return torch.stack(along)[target_lengths - 1, rows, last]


@torch.no_grad()
def dag_best_alignment(emissions: Tensor, links: Tensor, target_lengths: Tensor, last: Tensor) -> Tensor:
    """Vertex of each target position on the most probable path, `[batch, target]`; -1 beyond a target's end."""
    batch, vertices, longest = emissions.shape
    reach = torch.full((batch, vertices), -1e9)
    reach[:, 0] = emissions[:, 0, 0]
    along, back = [reach], []
    for position in range(1, longest):
        best, origin = (reach[:, :, None] + links).max(dim=1)
        reach = best + emissions[:, :, position]
        along.append(reach)
        back.append(origin)
    path = torch.full((batch, longest), -1)
    at = last.clone()
    rows = torch.arange(batch)
    for position in range(longest - 1, -1, -1):
        inside = position < target_lengths
        at = torch.where(position == target_lengths - 1, last, at)
        path[:, position] = torch.where(inside, at, -1)
        if position > 0:
            at = torch.where(inside, back[position - 1][rows, at], at)
    return path
