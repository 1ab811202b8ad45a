"""What the numbers of a model made elsewhere may mean, in the words that users give."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["OUTPUTS", "Output"]

# ``scores`` is the old word for logits.
Output = Literal[
    "auto",
    "logits",
    "probabilities",
    "sigmoid",
    "sigmoid_logits",
    "one_logit",
    "one_probability",
    "scores",
]
OUTPUTS: tuple[str, ...] = get_args(Output)
