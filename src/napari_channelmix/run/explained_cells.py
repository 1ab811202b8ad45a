"""Which cell each map is of: its place, the user's own keys, whether it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.identifier_columns import named_keys
from napari_channelmix.run.explained_channels import channel_columns
from napari_channelmix.whatif.evidence_shares import PARTS

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data import Cells
    from napari_channelmix.phenotypes.held_out import Marks

__all__ = ["cells_about", "explained_table"]

IntArray = npt.NDArray[np.int64]


def cells_about(cells: Cells, chosen: IntArray, training: Marks) -> dict[str, Any]:
    """Of N chosen cells and their N marks, for JSON: lists of N, but ``keys``, a dict of such.

    ``field`` (name of the image), ``field_name`` (the short one, see `Cells.field_names`),
    ``object`` (id in the label image), ``y`` and ``x`` (centre in
    pixels; pixel centres are whole numbers), ``training`` (yes, same group, no, unknown), and
    ``keys``, the user's own columns by name.
    """
    table = cells.table.iloc[chosen]
    return {
        "field": [cells.fields[row].name for row in table["field"].tolist()],
        "field_name": [cells.field_names[row] for row in table["field"].tolist()],
        "object": table["object"].astype(int).tolist(),
        "y": table["y"].astype(float).tolist(),
        "x": table["x"].astype(float).tolist(),
        "training": training.tolist(),
        "keys": cells.keys.iloc[chosen].to_dict("list"),
    }


def explained_table(cells: Cells, chosen: IntArray, content: dict[str, Any]) -> pd.DataFrame:
    """A row per map, in their order: the cell, what was explained, its probabilities and scores.

    ``doubts`` are what speaks against reading the map, ``caveats`` what to mind beside it. Where
    outlines are known: the share of the evidence and of the magnitude in the cell, its neighbours
    and the background, and the share of the crop that the cell covers.

    Parameters
    ----------
    cells : Cells
    chosen : (N,) int64 array
    content : dict
        Of ``explain.json``.
    """
    import pandas as pd

    about = content["cells"]
    columns: dict[str, Any] = {"map": np.arange(len(chosen)), "cell": chosen}
    columns |= {name: about[name] for name in ("field", "field_name", "object", "y", "x")}
    columns |= {name: about[name] for name in ("group", "training", "at_border")}
    columns["label"] = ["" if name is None else name for name in about["label"]]
    classes = content["classes"]
    columns["target"] = [classes[code] for code in content["target"]]
    columns["prediction"] = [classes[code] for code in content["predicted"]]
    probabilities = np.asarray(content["probabilities"], dtype=np.float64)
    columns |= {
        f"probability of {name}": probabilities[:, code] for code, name in enumerate(classes)
    }
    columns |= {name: list(map("; ".join, content[name])) for name in ("doubts", "caveats")}
    columns |= channel_columns(content)
    columns |= _share_columns(content.get("evidence_shares"))
    for method, scores in content.get("scores_per_cell", {}).items():
        columns |= {f"{name} of {method}": values for name, values in scores.items()}
    tested = content.get("reliability")
    if tested is not None:
        names = ("verdict", "readable", "gain", "p_value", "randomisation", "staying")
        columns |= {name: tested[name] for name in names}
        columns["words"] = list(map(" ".join, tested["words"]))
    return pd.DataFrame({**columns, **named_keys(cells.keys.iloc[chosen], columns)})


def _share_columns(shares: dict[str, Any] | None) -> dict[str, Any]:
    """Where the evidence of each map lies; NaN where it is not known."""
    if shares is None:
        return {}

    def of(name: str, part: int) -> npt.NDArray[np.float64]:
        rows = [(None,) * len(PARTS) if row is None else row for row in shares[name]]
        return np.array([row[part] for row in rows], dtype=np.float64)

    columns: dict[str, Any] = {"outline": shares["outline"], "cell area": of("areas", 0)}
    for name in ("evidence", "magnitude"):
        columns |= {f"{name} in {part}": of(name, place) for place, part in enumerate(PARTS)}
    return columns
