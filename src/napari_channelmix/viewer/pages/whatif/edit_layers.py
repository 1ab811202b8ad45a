"""The cell before and after an edit, as two layers that lie on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.layers import PictureLayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["AFTER", "BEFORE", "EditLayers"]

#: Roles of the layers, which are their names as well.
BEFORE, AFTER = "what if: before", "what if: after"


class EditLayers:
    """Adds both, keeps the second one true to the sliders, takes them away."""

    def __init__(self, viewer: Any) -> None:
        self.before = PictureLayer(viewer, BEFORE, BEFORE)
        self.after = PictureLayer(viewer, AFTER, AFTER)

    @property
    def there(self) -> bool:
        """Whether the user has not removed them."""
        return self.before.layer is not None or self.after.layer is not None

    def lay(
        self,
        shown: Shown,
        box: Sequence[int],
        before: npt.NDArray[np.uint8],
        after: npt.NDArray[np.uint8],
    ) -> None:
        """Put both on a cell; hide the upper one to see the lower one."""
        self.before.lay(shown, box, before)
        self.after.lay(shown, box, after)

    def show(self, after: npt.NDArray[np.uint8]) -> None:
        """Show another edit."""
        self.after.show(after)

    def clear(self) -> None:
        """Take both away."""
        self.before.clear()
        self.after.clear()
