"""What the numbers mean that a model gives: one rule, whatever the model is.

1. `answers_of` makes a table (n, K) of what a model returned.
2. `reading_of` says what the columns are: as declared, or found out from a probe.
3. A `Reading` turns answers into scores for evidence and probabilities for showing, and refuses
   answers that contradict it, at every batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from napari_channelmix.errors import ModelError
from napari_channelmix.settings.model_output import OUTPUTS, Output

__all__ = ["OUTPUTS", "Meaning", "Output", "Reading", "answers_of", "output_named", "reading_of"]

Meaning = Literal[
    "logits", "probabilities", "sigmoid", "sigmoid_logits", "one_logit", "one_probability"
]

# What a column alone means where the word was chosen for several.
OF_ONE_COLUMN: dict[str, Meaning] = {
    "logits": "one_logit",
    "probabilities": "one_probability",
    "sigmoid": "one_probability",
    "sigmoid_logits": "one_logit",
    "one_logit": "one_logit",
    "one_probability": "one_probability",
}
WORDS = {
    "logits": "logits",
    "probabilities": "probabilities",
    "sigmoid": "probabilities of independent labels (sigmoid)",
    "sigmoid_logits": "logits of independent labels",
    "one_logit": "one logit, for the second of two classes",
    "one_probability": "one probability, of the second of two classes",
}
BETWEEN_0_AND_1 = ("probabilities", "sigmoid", "one_probability")

# How far rounding may take a probability out of 0..1, and the sum of a row from 1.
OUTSIDE = 1e-4
SUM = 1e-3
# The same for numbers of 16 bits.
COARSE = 2e-2


@dataclass(frozen=True)
class Reading:
    """What the columns of a model's answers mean.

    Attributes
    ----------
    meaning : Meaning
    columns : int
        K, the columns of an answer.
    dtype : torch.dtype
        Of the answers; it limits how sure probabilities can be.
    n_answers : int
        Answers it was found out from; 0 where it was declared.
    warnings : tuple of str
        What speaks against it.
    """

    meaning: Meaning
    columns: int
    dtype: torch.dtype = torch.float32
    n_answers: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Number of classes: two where there is one column."""
        return 2 if self.meaning in ("one_logit", "one_probability") else self.columns

    @property
    def independent(self) -> bool:
        """Whether each column is a label of its own, so that several may be true of a cell."""
        return self.meaning in ("sigmoid", "sigmoid_logits")

    @staticmethod
    def text_is_independent(text: str) -> bool:
        """Whether the text of a reading, such as stored files have, is of independent labels."""
        return text.startswith((WORDS["sigmoid"], WORDS["sigmoid_logits"]))

    def __str__(self) -> str:
        how = f"detected from {self.n_answers} outputs" if self.n_answers else "declared"
        return f"{WORDS[self.meaning]} ({how})"

    def check(self, answers: Tensor, who: str) -> None:
        """Refuse answers (n, K) that contradict the meaning.

        Raises
        ------
        ModelError
            Another number of columns, NaN or infinite values, numbers that are no probabilities.
        """
        if answers.shape[1] != self.columns:
            raise ModelError(
                f"{who} gave scores of shape {tuple(answers.shape)} for {len(answers)} crops; it "
                f"must give ({len(answers)}, {self.columns})"
            )
        values = answers.detach()
        if not torch.isfinite(values).all():
            raise ModelError(f"{who} gave scores that are NaN or infinite")
        wrong = _against(values, self.meaning)
        if wrong:
            how = f" (detected from {self.n_answers} outputs)" if self.n_answers else ""
            raise ModelError(f"{who} gave numbers that are no {WORDS[self.meaning]}{how}: {wrong}")

    def scores(self, answers: Tensor) -> Tensor:
        """Answers (n, K) as scores (n, classes) that `Target` takes log odds of.

        Logits stay as they are. Of probabilities it is the logarithm, in double precision where
        the device has it; below the smallest normal number of their dtype they are cut.
        """
        if self.meaning in ("logits", "sigmoid_logits"):
            return answers
        if self.meaning == "one_logit":
            return torch.cat([torch.zeros_like(answers), answers], dim=1)
        p = answers.float() if answers.device.type == "mps" else answers.double()
        low, high = self._bounds
        if self.meaning == "probabilities":
            return p.clamp_min(low).log()
        p = p.clamp(low, high)
        if self.meaning == "one_probability":
            return torch.cat([torch.log1p(-p), p.log()], dim=1)
        return p.log() - torch.log1p(-p)

    def probabilities(self, scores: Tensor) -> Tensor:
        """Probabilities (n, classes) to show, from ``scores``; of labels each by itself."""
        of = scores.double() if scores.device.type != "mps" else scores.float()
        return torch.sigmoid(of) if self.independent else torch.softmax(of, dim=1)

    def saturated(self, scores: Tensor, log_odds: Tensor) -> Tensor:
        """Whether probabilities of this dtype can say no more than the log odds (n,) do.

        ``scores`` (n, classes) are those the log odds are taken of.
        """
        if self.meaning not in BETWEEN_0_AND_1:
            return torch.zeros_like(log_odds, dtype=torch.bool)
        if self.meaning == "one_probability":
            # Close to 0 more is told apart than close to 1, whichever class is asked about.
            log_odds = scores[:, 1] - scores[:, 0]
        low, high = self._bounds
        lowest = float(np.log(low))
        # All others are 0: the sum over them is at most so many times the smallest number.
        highest = -float(np.log(low * max(self.columns - 1, 1)))
        if self.meaning != "probabilities":
            highest = float(np.log(high) - np.log1p(-high))
        return (log_odds <= lowest + 1e-2) | (log_odds >= highest - 1e-2)

    @property
    def _bounds(self) -> tuple[float, float]:
        """The probabilities next to 0 and 1 that are still told from them."""
        about = torch.finfo(self.dtype)
        return float(about.tiny), 1 - float(about.eps) / 2


def output_named(output: str) -> str:
    """The name of an output in today's words.

    Raises
    ------
    ModelError
        A name that is not known.
    """
    if output not in OUTPUTS:
        known = ", ".join(name for name in OUTPUTS if name != "scores")
        raise ModelError(f"output {str(output)[:40]!r} is unknown; use one of {known}")
    return "logits" if output == "scores" else output


def answers_of(
    result: Any, n: int, who: str, output: str = "auto", columns: int | None = None
) -> Tensor:
    """What a model returned for n crops as a table (n, K) of finite or other floats.

    Trailing axes of length 1 are dropped, as networks without a last flattening leave them. One
    number for each crop without an axis is a column only where ``output`` says so: it may be the
    position of a class.

    Raises
    ------
    ModelError
        Anything that is no such table.
    """
    answers = result if isinstance(result, Tensor) else torch.from_numpy(_floats(result))
    if answers.is_complex():
        raise ModelError(f"{who} gave complex numbers; scores must be real")
    if not answers.is_floating_point():
        answers = answers.double()
    while answers.ndim > 2 and answers.shape[-1] == 1:
        answers = answers[..., 0]
    # A last ``squeeze`` takes the axis of one crop along.
    if output in ("one_logit", "one_probability") and answers.numel() == n and answers.ndim < 2:
        answers = answers.reshape(n, 1)
    if answers.ndim != 2 or len(answers) != n or not answers.shape[1]:
        advice = ""
        if answers.shape == (n,):
            advice = (
                "; if each is the logit or the probability of the second of two classes, say "
                'output="one_logit" or "one_probability"'
            )
        raise ModelError(
            f"{who} gave scores of shape {tuple(answers.shape)} for {n} crops; "
            f"it must give ({n}, {columns or 'K'}){advice}"
        )
    return answers


def reading_of(
    answers: Tensor,
    output: str,
    who: str,
    *,
    classes: Sequence[str] | None = None,
    more: Tensor | None = None,
) -> Reading:
    """What the columns of answers mean. Our definition.

    Declared, it is that, or refused where the answers contradict it. Else:

    - several columns, no number below 0 and every row with the sum 1: ``probabilities``;
    - several columns, all numbers within 0..1 and other sums: refused, since independent labels
      and small logits look alike;
    - several columns of one sign with one sum in every row (per cent), or logarithms of
      probabilities to the base 10 or 2: refused;
    - one column that leaves 0..1: ``one_logit``; one that does not: refused;
    - all else: ``logits``. Logarithms of probabilities are logits as well.

    Parameters
    ----------
    answers : (n, K) tensor
        To real crops.
    output : Output
    classes : sequence of str, optional
        Where they are named.
    more : (m, K) tensor, optional
        Answers to changed crops, which only help to find out; rows that are not finite are left
        out.

    Raises
    ------
    ModelError
        NaN or infinite answers, another number of classes, a contradiction, or doubt.
    """
    output, columns = output_named(output), answers.shape[1]
    values = answers.detach()
    if not torch.isfinite(values).all():
        raise ModelError(f"{who} gave scores that are NaN or infinite")
    if classes is not None and len(classes) != max(columns, 2):
        raise ModelError(
            f"{who} gave scores of shape {tuple(answers.shape)} for {len(answers)} crops and "
            f"{len(classes)} classes ({', '.join(classes)[:200]}); it must give "
            f"({len(answers)}, {len(classes)})"
        )
    seen = values
    if more is not None and more.shape[1:] == values.shape[1:]:
        seen = torch.cat([values, more.detach()[torch.isfinite(more).all(dim=1)].to(values)])
    meaning: Meaning
    if output == "auto":
        meaning = _inferred_meaning(seen, who)
    elif columns == 1:
        meaning = OF_ONE_COLUMN[output]
    elif output in ("one_logit", "one_probability"):
        raise ModelError(
            f'{who} gave {columns} numbers for a cell, and output="{output}" means one; leave '
            "output out, or choose one of several outputs with select"
        )
    else:
        meaning = output  # type: ignore[assignment]
    reading = Reading(
        meaning,
        columns,
        answers.dtype,
        len(seen) if output == "auto" else 0,
        _doubts(seen, meaning, who, declared=output != "auto"),
    )
    reading.check(answers, who)
    return reading


def _inferred_meaning(seen: Tensor, who: str) -> Meaning:
    within = bool((seen >= -OUTSIDE).all() and (seen <= 1 + OUTSIDE).all())
    if seen.shape[1] == 1:
        if not within:
            return "one_logit"
        raise ModelError(
            f"{who} gives one number for a cell, and all {len(seen)} that were tried lie within 0 "
            'and 1: say output="one_probability" if it ends in a sigmoid, else output="one_logit"'
        )
    if not _against(seen, "probabilities"):
        return "probabilities"
    if within and not _alike(seen):
        raise ModelError(
            f"{who} gives numbers within 0 and 1 whose sums are not 1 (tried with {len(seen)} "
            'crops): say output="sigmoid" if these are independent labels, else output="logits"'
        )
    scaled = _scaled(seen)
    if scaled:
        raise ModelError(
            f"{who} gives {scaled} in all {len(seen)} outputs that were tried, so these seem to be "
            "probabilities in another form: let it give them within 0 and 1, or say "
            'output="logits" if a softmax belongs on them as they are'
        )
    return "logits"


def _scaled(seen: Tensor) -> str:
    """In which other form than 0..1 answers seem to be probabilities; empty where they do not.

    Per cent, negative ones, and logarithms to the base 10 or 2 (those to the base e are logits).
    """
    if _alike(seen) or len(seen) < 2:
        return ""
    values = seen.detach().cpu().double()
    sums = values.sum(dim=1)
    total = float(sums.mean())
    one_sign = bool((values >= 0).all() or (values <= 0).all())
    near = COARSE if torch.finfo(seen.dtype).bits < 32 else SUM
    if one_sign and float((sums - total).abs().max()) <= near * abs(total):
        sign = "no number below 0" if total > 0 else "no number above 0"
        return f"{sign} and the sum {total:.4g}"
    for base in (10, 2):
        if bool((values <= 0).all()):
            sums = torch.pow(float(base), values).sum(dim=1)
            if float((sums - 1).abs().max()) <= near:
                return f"logarithms to the base {base} of numbers whose sum is 1"
    return ""


def _doubts(seen: Tensor, meaning: Meaning, who: str, *, declared: bool) -> tuple[str, ...]:
    """What in the answers speaks against a meaning without ruling it out."""
    doubts = []
    same, many = _alike(seen), len(seen) > 1
    if same and many:
        doubts.append(f"{who} gives the same output for all {len(seen)} crops that were tried")
    if not declared or same or not many:
        return tuple(doubts)
    looks = not _against(seen, "probabilities") and seen.shape[1] > 1
    within = bool((seen >= 0).all() and (seen <= 1).all())
    if looks and meaning in ("logits", "sigmoid", "sigmoid_logits"):
        doubts.append(
            f"{who}: the output is declared as {WORDS[meaning]}, but all {len(seen)} outputs are "
            'not negative with the sum 1: if it ends in a softmax, use output="probabilities"'
        )
    elif within and meaning in ("sigmoid_logits", "one_logit"):
        other = "sigmoid" if meaning == "sigmoid_logits" else "one_probability"
        doubts.append(
            f"{who}: the output is declared as {WORDS[meaning]}, but all {len(seen)} outputs lie "
            f'within 0 and 1: if it ends in a sigmoid, use output="{other}"'
        )
    return tuple(doubts)


def _against(values: Tensor, meaning: str) -> str:
    """Why numbers cannot have a meaning, and what to use; empty where they can."""
    if meaning not in BETWEEN_0_AND_1:
        return ""
    coarse = torch.finfo(values.dtype).bits < 32
    outside = COARSE if coarse else OUTSIDE
    least, most = float(values.min()), float(values.max())
    if least < -outside or most > 1 + outside:
        other = {"probabilities": "logits", "sigmoid": "sigmoid_logits"}.get(meaning, "one_logit")
        return f'they run from {least:.3g} to {most:.3g}; use output="{other}"'
    if meaning == "probabilities":
        sums = values.double().sum(dim=1) if values.device.type != "mps" else values.sum(dim=1)
        far = float((sums - 1).abs().max())
        if far > (COARSE if coarse else SUM):
            sum_of = float(sums[(sums - 1).abs().argmax()])
            return (
                f'the sum of a row is {sum_of:.3g}; use output="sigmoid" for independent labels, '
                'else output="logits"'
            )
    return ""


def _alike(seen: Tensor) -> bool:
    return bool((seen == seen[:1]).all())


def _floats(result: Any) -> Any:
    """An array of floats; what is of another kind raises as NumPy does."""
    array = np.asarray(result)
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        native = array.dtype.newbyteorder("=")
        return np.ascontiguousarray(array, dtype=native).copy()
    return np.array(array, dtype=np.float64)
