"""Dose-responses of a whole data set: every column of doses, every class; as tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.conditions import conditions_for
from napari_channelmix.phenotypes.control_wells import HUMP
from napari_channelmix.phenotypes.dose_response import (
    CIRCULAR,
    DoseResponse,
    as_doses,
    dose_response,
    given_by_dose,
    response_in_words,
)
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.phenotypes.fractions import Fractions

__all__ = [
    "LABELS",
    "PREDICTED",
    "Response",
    "called_doses",
    "curves_frame",
    "dose_columns",
    "levels_frame",
    "response_of",
    "responses_of",
    "with_conditions",
]

FloatArray = npt.NDArray[np.float64]

PREDICTED, LABELS = "predicted classes", "labels"
# Columns that are called so are offered first.
DOSE_WORDS = re.compile(
    r"(?!over)\w*(dose|dosage|conc|concentration|molar)s?|(dose|dosage|concentration|molar)\w*"
    "|[µμu]m|nm"
)
# Doses that controls have: none, and a high one.
CONTROLS = 2
LEARNT = (
    "Labels were given by the dose here, and a classifier that was trained on them shows them "
    "again; train on the controls alone"
)
NOT_ADJUSTED = "no adjusted fraction (they hold training cells), so the curve is of the predictions"
# Columns of doses of which curves are drawn unasked.
MOST_COLUMNS = 4


@dataclass(frozen=True, eq=False)
class Response:
    """The dose-response of one class.

    Attributes
    ----------
    column : str
        Of the data set's table, which holds the doses.
    name : str
        The class.
    of : str
        `PREDICTED` or `LABELS`: what the fractions are of.
    dose_response : DoseResponse
    """

    column: str
    name: str
    of: str
    dose_response: DoseResponse = field(repr=False)

    @property
    def words(self) -> str:
        """What it says."""
        return response_in_words(self.dose_response)


def dose_columns(conditions: pd.DataFrame | None, groups: Sequence[str]) -> dict[str, FloatArray]:
    """Columns with numbers for at least two doses, as doses (G,); the likeliest ones first.

    Parameters
    ----------
    conditions : pandas.DataFrame or None
        A row per group, named by it; see `Cells.conditions`.
    groups : sequence of str
    """
    if conditions is None:
        return {}
    rows = conditions_for(conditions, groups)
    doses = {str(name): as_doses(rows[name].to_numpy(object)) for name in rows.columns}
    several = [
        name for name, values in doses.items() if len(np.unique(values[np.isfinite(values)])) >= 2
    ]
    return {name: doses[name] for name in sorted(several, key=_likely)}


def called_doses(conditions: pd.DataFrame | None) -> list[str]:
    """Columns that are called like a dose, whatever they hold."""
    if conditions is None:
        return []
    return [str(name) for name in conditions.columns if not _likely(str(name))[0]]


def _likely(name: str) -> tuple[bool, str]:
    # Whole words: 'assignment' and 'environment' hold no nanomolar. Units such as nM stay whole,
    # logConc is two words.
    words = re.findall(r"[^\W\d_]+", f"{name} {HUMP.sub(' ', name)}".lower())
    return not any(DOSE_WORDS.fullmatch(word) for word in words), name


def response_of(
    doses: FloatArray,
    fractions: Fractions,
    code: int,
    of: str,
    labelled: Fractions | None = None,
    *,
    adjust: bool = True,
) -> DoseResponse:
    """The response of a class to doses (G,).

    Parameters
    ----------
    doses : (G,) array
    fractions : Fractions
        Of the predicted classes or of the labels, as ``of`` says.
    code : int
        Position of the class.
    of : str
        `PREDICTED` or `LABELS`.
    labelled : Fractions, optional
        Of the labels: no curve is drawn of labels that were given by the dose.
    adjust : bool
        Whether the adjusted fractions are taken where they are known of every group; else those
        of the calls, which leave no group out.
    """
    adjusted = adjust and fractions.is_adjusted
    values = fractions.fractions
    if adjusted and fractions.adjusted is not None:
        free = fractions.adjusted.free
        values = fractions.adjusted.fractions if free is None else free
    circular = labelled is not None and given_by_dose(doses, labelled.counts)
    response = dose_response(
        doses,
        values[:, code],
        _worth(fractions, values, code),
        refused=CIRCULAR if circular and of == LABELS else "",
    )
    response = replace(response, adjusted=adjusted)
    if adjust and fractions.has_adjusted and not adjusted:
        without = counted(fractions.not_adjusted, "group", "have")
        response = replace(response, notes=(*response.notes, f"{without} {NOT_ADJUSTED}"))
    known = labelled is not None and set(labelled.classes) & set(fractions.classes)
    if circular and known and of == PREDICTED and labelled is not None:
        # Controls are two doses; a label at more of them is a series that was learnt.
        learnt = np.unique(doses[np.isfinite(doses) & (labelled.classed > 0)])
        if len(learnt) > CONTROLS:
            return replace(response, notes=(*response.notes, LEARNT))
    return response


def _worth(fractions: Fractions, values: FloatArray, code: int) -> FloatArray:
    """How many cells each fraction (G,) is as certain as.

    Adjusting spreads the fractions of the calls, and their chance errors with them: a fraction that
    is spread twice as far is worth a quarter of its cells.
    """
    calls, cells = fractions.fractions[:, code], fractions.classed.astype(np.float64)
    known = np.isfinite(calls) & np.isfinite(values[:, code])
    spread = float(np.var(values[known, code])) if known.any() else 0.0
    if spread <= 0:
        return cells
    return np.asarray(cells * min(1.0, float(np.var(calls[known])) / spread))


def responses_of(
    conditions: pd.DataFrame | None,
    fractions: Fractions,
    of: str,
    labelled: Fractions | None = None,
) -> tuple[Response, ...]:
    """Every class against every column that is called like a dose."""
    if fractions.grouping.kind != "group":
        return ()
    columns = dose_columns(conditions, fractions.groups)
    called = [name for name in columns if not _likely(name)[0]]
    return tuple(
        Response(column, name, of, response_of(columns[column], fractions, code, of, labelled))
        for column in called[:MOST_COLUMNS]
        for code, name in enumerate(fractions.classes)
    )


def curves_frame(responses: Sequence[Response]) -> pd.DataFrame:
    """A row per dose column and class: EC50 with its interval, slope, plateaus, or why not."""
    import pandas as pd

    return pd.DataFrame([_curve_row(response) for response in responses])


def _curve_row(response: Response) -> dict[str, Any]:
    result, fit = response.dose_response, response.dose_response.fit
    return {
        "dose": response.column,
        "class": response.name,
        "fractions of": response.of,
        "adjusted": result.adjusted,
        "groups": len(result.groups),
        "doses above 0": int((result.levels > 0).sum()),
        "ec50": None if fit is None else fit.ec50,
        "ec50 low": result.above if fit is None else fit.interval[0],
        "ec50 high": result.below if fit is None else fit.interval[1],
        "slope": None if fit is None else fit.slope,
        "plateau low dose": None if fit is None else fit.low,
        "plateau high dose": None if fit is None else fit.high,
        "words": response.words,
    }


def levels_frame(responses: Sequence[Response]) -> pd.DataFrame:
    """A row per dose column, class and dose: mean over its groups, its interval, the curve."""
    import pandas as pd

    rows = []
    for response in responses:
        result = response.dose_response
        for index, dose in enumerate(result.levels.tolist()):
            rows.append(
                {
                    "dose column": response.column,
                    "class": response.name,
                    "fractions of": response.of,
                    "dose": dose,
                    "adjusted": result.adjusted,
                    "groups": int(result.counts[index]),
                    "mean": result.mean[index],
                    "sd": result.spread[index],
                    "low": result.low[index],
                    "high": result.high[index],
                    "curve": _on_curve(result, dose),
                }
            )
    return pd.DataFrame(rows)


def _on_curve(result: DoseResponse, dose: float) -> float | None:
    if result.fit is None:
        return None
    return result.fit.low if dose == 0 else float(result.fit.at([dose])[0])


def with_conditions(
    frame: pd.DataFrame, groups: Sequence[str], conditions: pd.DataFrame | None
) -> pd.DataFrame:
    """A table with a row per group, and what the data set's table says of each beside it."""
    if conditions is None:
        return frame
    more = conditions_for(conditions, groups).reset_index(drop=True)
    return frame.join(more[[name for name in more.columns if name not in frame.columns]])
