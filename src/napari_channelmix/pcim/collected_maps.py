"""Maps and warnings of an explanation, collected batch by batch until they are a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.attribution import Attribution, MapUpdate
from napari_channelmix.provenance import provenance

if TYPE_CHECKING:
    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.pcim.batch import Maps, Problem
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.pcim.methods import Method

__all__ = ["CollectedMaps", "Notes"]

FloatArray = npt.NDArray[np.float32]


class Notes(list[str]):
    """Warnings in the order they came up, each once."""

    def add(self, text: str) -> None:
        """Note it, unless it is there."""
        if text not in self:
            self.append(text)

    def look_at(self, problem: Problem, some: npt.NDArray[np.int64]) -> None:
        """Note what the user should know of some cells before their maps are read."""
        # Asked once: the first batch says it for all.
        if problem.subject.network is None and some[0] == 0:
            with torch.inference_mode():
                once, again = (problem.subject.scores(problem.x[:4]) for _ in range(2))
            if not torch.allclose(once, again, rtol=1e-3, atol=1e-3):
                self.add(
                    f"{problem.subject.who} gives other outputs for the same input each time: the "
                    f"maps contain that noise"
                )


class CollectedMaps:
    """Maps of all cells, filled batch by batch."""

    def __init__(self, source: Source, separate: bool) -> None:
        count, channels, height, width = source.shape
        self.source, self.separate = source, separate
        self.maps = np.zeros((count, height, width), np.float32)
        self.magnitude = np.zeros((count, height, width), np.float32)
        self.channel_maps = (
            np.zeros((count, channels, height, width), np.float32) if separate else None
        )
        self.errors: FloatArray | None = None
        self.target = np.zeros(count, np.int64)
        self.versus: npt.NDArray[np.int64] | None = None
        self.probabilities = np.zeros((count, len(source.subject.classes)), np.float32)

    def take(
        self, some: npt.NDArray[np.int64], maps: Maps, problem: Problem, probabilities: FloatArray
    ) -> MapUpdate:
        """Put the maps of some cells in their place; give them as an update."""
        finite = torch.isfinite(maps.values).flatten(1).all(dim=1).cpu().numpy()
        if not finite.all():
            raise ModelError(
                f"{problem.subject.who} gave NaN or infinite scores for blended versions of cell "
                f"{self.source.name_of(self.source.numbers[some][~finite][0])}; leave the cell out"
            )
        values = maps.values.float().cpu().numpy()
        self.maps[some] = values.sum(axis=1)
        size = maps.values.abs().sum(dim=1) if maps.magnitude is None else maps.magnitude[:, 0]
        self.magnitude[some] = torch.nan_to_num(size).float().cpu().numpy()
        if self.channel_maps is not None:
            self.channel_maps[some] = values
        if maps.standard_error is not None:
            if self.errors is None:
                self.errors = np.zeros_like(self.maps)
            # Of a sum over channels, as if their errors were independent.
            errors = maps.standard_error.float().square().sum(dim=1).sqrt()
            self.errors[some] = errors.cpu().numpy()
        self.target[some] = problem.target.of.cpu().numpy()
        if problem.target.versus is not None:
            if self.versus is None:
                self.versus = np.zeros_like(self.target)
            self.versus[some] = problem.target.versus.cpu().numpy()
        self.probabilities[some] = probabilities
        return MapUpdate(
            some,
            self.maps[some],
            self.magnitude[some],
            values if self.separate else None,
            probabilities,
            self.target[some],
        )

    def attribution(
        self,
        method: Method,
        seconds: float,
        warnings: tuple[str, ...],
        flat: dict[str, tuple[int, ...]],
        shift: DataShift | None,
        *,
        noise: tuple[int, ...] = (),
        **facts: Any,
    ) -> Attribution:
        """All of it as a result, with how it was made."""
        model, output = self.source.model, str(self.source.subject.reading)
        prior = self.source.prior
        about = {
            "method": method.name,
            "mode": method.mode,
            "output": output,
            "prior": prior.as_dict(),
            **facts,
        }
        if isinstance(model, Classifier):
            about["model"] = model.provenance.get("data")
        return Attribution(
            maps=self.maps,
            magnitude=self.magnitude,
            channel_maps=self.channel_maps,
            target=self.target,
            versus=self.versus,
            probabilities=self.probabilities,
            standard_error=self.errors,
            classes=self.source.subject.classes,
            channels=self.source.channels,
            method=method.name,
            mode=method.mode,
            seconds_per_cell=seconds,
            warnings=warnings,
            provenance=provenance(**about),
            source=self.source,
            output=output,
            flat=flat,
            shift=shift,
            prior=prior,
            noise=noise,
        )
