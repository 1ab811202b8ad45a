"""Cells in the picture coloured by class or by a number: one layer, no colour table per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer import layers

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
    from napari_channelmix.viewer.session.session import Shown

__all__ = ["CODES", "COLORINGS", "SCORES", "Coloring"]

CODES, SCORES = "phenotypes", "phenotype scores"
#: What the cells may be coloured by, and what that needs.
COLORINGS = {
    "nothing": "",
    "labels": "classes",
    "predictions": "predictions",
    "disagreement": "both",
    "probability of a class": "predictions",
    "margin": "predictions",
    "latent": "latents",
}
# A scale whose end is its beginning, for angles.
COLORS, CYCLIC = "viridis", "twilight_shifted"


class Coloring:
    """Adds the layer, keeps it true to the field of view that is shown, takes it away."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer

    def show(self, facts: Facts | None, shown: Shown | None, what: str, of: str) -> str:
        """Colour the cells of the field of view; gives the layer's name, or nothing."""
        if what == "nothing" or facts is None:
            self.clear()
            return ""
        if shown is None or not shown.is_in(self._viewer.layers):
            return ""
        geometry = layers.field_place(shown)
        codes = what in ("labels", "predictions", "disagreement")
        # Hidden, not removed: napari takes half a second to remove a layer of this size.
        other = layers.find_ours(self._viewer, SCORES if codes else CODES)
        if other is not None:
            other.visible = False
        with layers.keep_selection(self._viewer.layers):
            if codes:
                layer = self._codes(facts, shown, what, geometry)
            else:
                layer = self._scores(facts, shown, what, of, geometry)
        return str(layer.name)

    def _codes(self, facts: Facts, shown: Shown, what: str, geometry: layers.FieldPlace) -> Any:
        codes = facts.labels
        if what == "predictions":
            codes = facts.predicted_colors
        elif what == "disagreement":
            # The others have no colour: what was predicted stands out where it is not the label.
            codes = np.where(facts.differs, facts.predicted_colors, -1)
        layer = layers.show_codes(
            self._viewer, CODES, facts.cells, shown.field, codes, facts.palette, geometry
        )
        layer.name = f"{CODES}: {what}"
        return layer

    def _scores(
        self, facts: Facts, shown: Shown, what: str, of: str, geometry: layers.FieldPlace
    ) -> Any:
        limits, colors, name = (0.0, 1.0), COLORS, what
        if what == "margin":
            scores = facts.margin
        elif what == "latent":
            # Where there are latents, PyTorch is loaded.
            from napari_channelmix.viewer.charts.latent_axes import axes_of

            assert facts.latents is not None
            axis = next(candidate for candidate in axes_of(facts.latents) if candidate.name == of)
            scores, name, limits = axis.values, f"latent {of}", (axis.low, axis.high)
            colors = CYCLIC if axis.cyclic else COLORS
        else:
            assert facts.predictions is not None
            column = facts.predicted_classes.index(of)
            scores = facts.predictions.probabilities[:, column].astype(np.float64)
            name = f"probability of {of}"
        return layers.show_scores(
            self._viewer,
            SCORES,
            facts.cells,
            shown.field,
            scores,
            geometry,
            name=f"{CODES}: {name}",
            limits=limits,
            colormap=colors,
        )

    def clear(self) -> None:
        """Take the colours away."""
        for role in (CODES, SCORES):
            self._remove(role)

    def _remove(self, role: str) -> None:
        layer = layers.find_ours(self._viewer, role)
        if layer is not None:
            self._viewer.layers.remove(layer)
