"""Probabilities and fractions of wells on plates of any prevalence: do they mean what they say.

A classifier is trained on control wells (half of them positive) of a synthetic screen, as a user
would; then plates are classified of which 1, 5, 20 and 50 % of the cells are positive. Cells are
those of `napari_channelmix.data.samples.graded_channels`, whose channels overlap between the
classes, so that the classifier errs; the stain of every well is brighter or dimmer as a whole, in
each channel by itself, so that wells differ in how much it errs.

    python benchmarks/calibration.py [--repeats 4] [--wells 40] [--cells 100] [--gain 0.06]

prints two Markdown tables: probabilities (their mean, calibration error and Brier score with each
prior) and fractions of wells (error of the raw and the adjusted ones, coverage of their 95 %
intervals).
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify import Classifier, TrainingSettings
from napari_channelmix.classify.calibration_metrics import brier_score, calibration_error
from napari_channelmix.classify.evaluated_training import measured_training_job
from napari_channelmix.data import Cells
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.jobs import drain
from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of

PREVALENCES = (0.01, 0.05, 0.2, 0.5)
RELEVANCE = (1.0, 0.7, 0.0)
CLASSES = ("negative", "positive")
SIDE = 16
PRIORS = ("training", "estimated", "balanced, T = 1")


class Screen:
    """Cells of one assay, dealt out to control wells and plates, each cell once."""

    def __init__(self, seed: int, count: int, gain: float) -> None:
        self._cells = graded_channels(RELEVANCE, seed=seed, count=count, side=SIDE).cells
        self._left = [np.flatnonzero(self._cells.labels == code).tolist() for code in (0, 1)]
        self._gain, self._rng = gain, np.random.default_rng([seed, 1])

    def wells(self, positive: npt.NDArray[np.bool_]) -> Cells:
        """Wells (W, n) of given classes; each with a stain of its own in each channel."""
        wells, each = positive.shape
        chosen = [self._left[int(one)].pop() for one in positive.ravel()]
        channels = self._cells.channels
        pixels = self._cells.read(chosen).reshape(wells, each, len(channels), SIDE, SIDE)
        pixels = pixels * self._rng.normal(1, self._gain, (wells, 1, len(channels), 1, 1))
        names = np.repeat([f"W{at:03d}" for at in range(wells)], each)
        return Cells.from_array(
            pixels.reshape(-1, len(channels), SIDE, SIDE).astype(np.float32),
            channels,
            positive.ravel().astype(int),
            CLASSES,
            names.tolist(),
        )


def trained(screen: Screen, controls: int, each: int, seed: int, epochs: int) -> Classifier:
    """A classifier of control wells, calibrated on those that were held out."""
    positive = np.repeat(np.arange(controls) % 2 == 1, each).reshape(controls, each)
    return drain(
        measured_training_job(
            screen.wells(positive),
            network="tiny",
            settings=TrainingSettings(epochs=epochs),
            seed=seed,
            device="cpu",
            held_out=0.4,
        )
    )


def main() -> None:
    """Train, classify, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=4, help="trainings, each with own plates")
    parser.add_argument("--controls", type=int, default=32, help="control wells")
    parser.add_argument("--wells", type=int, default=40, help="wells of each plate")
    parser.add_argument("--cells", type=int, default=100, help="cells of a well")
    parser.add_argument("--gain", type=float, default=0.06, help="sd of the stain between wells")
    parser.add_argument("--epochs", type=int, default=12)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    probabilities: dict[tuple[float, str], list[tuple[float, float, float]]] = {}
    fractions: dict[float, list[tuple[float, ...]]] = {one: [] for one in PREVALENCES}
    temperatures, accuracies = [], []
    for seed in range(asked.repeats):
        negatives = sum(1 - one for one in PREVALENCES) * asked.wells * asked.cells
        screen = Screen(seed, int(2.1 * (negatives + 20 * asked.controls)), asked.gain)
        model = trained(screen, asked.controls, 40, seed, asked.epochs)
        temperatures.append(model.temperature)
        accuracies.append(model.record["held_out"]["balanced_accuracy"])
        for prevalence in PREVALENCES:
            rng = np.random.default_rng([seed, round(1000 * prevalence)])
            positive = rng.random((asked.wells, asked.cells)) < prevalence
            plate = screen.wells(positive)
            called = drain(model.call_job(plate))
            shown = {
                "training": called.probabilities,
                "estimated": model.prior_of("estimated", called.balanced).applied(called.balanced),
                "balanced, T = 1": _uncalibrated(called.balanced, model.temperature),
            }
            for name, values in shown.items():
                probabilities.setdefault((prevalence, name), []).append(
                    (
                        float(values[:, 1].mean()),
                        calibration_error(values, plate.labels),
                        brier_score(values, plate.labels),
                    )
                )
            found = fractions_of(
                grouping_of(plate),
                called.codes,
                CLASSES,
                balanced=called.balanced.argmax(axis=1),
                held_out=model.held_out_calls,
            )
            adjusted, real = found.adjusted, positive.mean(axis=1)
            assert adjusted is not None and not adjusted.why_not
            share, low, high = (
                of[:, 1] for of in (adjusted.fractions, adjusted.low, adjusted.high)
            )
            raw = found.fractions[:, 1]
            wilson = np.array([found.interval(at, 1) for at in range(len(raw))])
            fractions[prevalence].append(
                (
                    raw.mean(),
                    share.mean(),
                    np.abs(raw - real).mean(),
                    np.abs(share - real).mean(),
                    _covers(wilson[:, 0], wilson[:, 1], prevalence),
                    _covers(low, high, prevalence),
                    _covers(low, high, real),
                    (high - low).mean(),
                )
            )
    print(
        f"{asked.repeats} trainings on {asked.controls} control wells of 40 cells, stain of "
        f"wells off by {asked.gain:.0%} (sd); balanced accuracy on held-out wells "
        f"{np.mean(accuracies):.3f}, temperature {np.mean(temperatures):.2f}; plates of "
        f"{asked.wells} wells of {asked.cells} cells.\n"
    )
    print("| positive cells | prior | mean probability | calibration error | Brier score |")
    print("|---|---|---|---|---|")
    for (prevalence, name), rows in probabilities.items():
        mean, error, brier = np.mean(rows, axis=0)
        print(f"| {prevalence:.0%} | {name} | {mean:.1%} | {error:.3f} | {brier:.3f} |")
    print(
        "\n| positive cells | called | adjusted | error of a well, called | adjusted | Wilson "
        "covers | adjusted covers | covers the well's own fraction | width |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for prevalence, rows in fractions.items():
        mean = np.mean(rows, axis=0)
        print(
            f"| {prevalence:.0%} | {mean[0]:.1%} | {mean[1]:.1%} | {mean[2]:.3f} | {mean[3]:.3f} "
            f"| {mean[4]:.0%} | {mean[5]:.0%} | {mean[6]:.0%} | {mean[7]:.3f} |"
        )


def _uncalibrated(balanced: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float64]:
    """What the network itself says: the temperature taken out again."""
    powers = balanced.astype(np.float64) ** temperature
    return powers / powers.sum(axis=1, keepdims=True)


def _covers(
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    truth: float | npt.NDArray[np.float64],
) -> float:
    return float(np.mean((low <= truth) & (truth <= high)))


if __name__ == "__main__":
    main()
