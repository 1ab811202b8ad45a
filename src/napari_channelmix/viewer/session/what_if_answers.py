"""What a classifier answered about all cells when they were edited. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.whatif.result import WhatIf

__all__ = ["WhatIfAnswers"]


@dataclass(frozen=True, eq=False)
class WhatIfAnswers:
    """The answers about the cells of a data set, and whose they are.

    Attributes
    ----------
    result : WhatIf
    trained : Trained
        The classifier that gave them.
    """

    result: WhatIf = field(repr=False)
    trained: Trained
