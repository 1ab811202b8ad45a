"""A network of any maker as one that gives scores (N, K), so that it can be differentiated."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from napari_channelmix.classify.callables import in_pieces, input_dtype, is_out_of_memory
from napari_channelmix.classify.output_selection import Select, selected
from napari_channelmix.classify.outputs import Reading, answers_of

__all__ = ["ScoredModule", "gradient_problem"]


class ScoredModule(nn.Module):
    """A network with scores (N, K) as its output, whatever it gives itself.

    Parameters
    ----------
    network : torch.nn.Module
    who : str
        What messages call it.
    output, select
        As for `load_model`.

    Attributes
    ----------
    reading : Reading or None
        What its numbers mean; needed before it is called.
    alone : bool
        Whether it is given one crop at once.
    most : int or None
        Crops that it is given at once where it refuses more; None until it has refused.
    """

    def __init__(self, network: nn.Module, who: str, output: str, select: Select) -> None:
        super().__init__()
        self.network = network
        self.who, self.output, self.select = who, output, select
        self.reading: Reading | None = None
        self.alone = False
        self.most: int | None = None
        # Whoever wraps a network does not change its mode.
        self.training = getattr(network, "training", False)

    def to(self, *args: Any, **kwargs: Any) -> ScoredModule:
        """Move the network by its own means: it may have some."""
        self.network.to(*args, **kwargs)
        return self

    def answers(self, x: Tensor) -> Tensor:
        """What the network gives, as a table (N, K)."""
        return self._answers(x.to(input_dtype(self.network)), 1 if self.alone else self.most)

    def _answers(self, x: Tensor, most: int | None) -> Tensor:
        """Answers to crops, ``most`` at once; to half as many where it refuses so many."""
        ask = self.network if most is None else in_pieces(self.network, most)
        try:
            result = ask(x)
        # A stranger's module may raise anything.
        except Exception as error:
            fewer = min(len(x), most or len(x)) // 2
            if not fewer or is_out_of_memory(error):
                raise
            try:
                answers = self._answers(x, fewer)
            except Exception:
                # It refuses any number of these: what it said of them all says why.
                raise error from None
            self.most = fewer if self.most is None else min(self.most, fewer)
            return answers
        return answers_of(selected(result, self.select, self.who), len(x), self.who, self.output)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, C, H, W)."""
        answers = self.answers(x)
        assert self.reading is not None
        self.reading.check(answers, self.who)
        return self.reading.scores(answers).float()


def gradient_problem(network: nn.Module, x: Tensor) -> str:
    """Why the scores of images (n, C, H, W) have no gradient; empty where they have."""
    images = x.detach().clone().requires_grad_(True)
    try:
        with torch.enable_grad():
            scores = network(images)
            (gradient,) = torch.autograd.grad((scores[:, 0] - scores[:, -1]).sum(), images)
    # A stranger's module may raise anything.
    except Exception as error:
        return " ".join(str(error).split())[:200] or type(error).__name__
    return "" if bool(torch.isfinite(gradient).all()) else "its gradients are NaN or infinite"
