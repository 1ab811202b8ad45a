"""What a table says of whole groups, such as the dose of a well."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from napari_channelmix.data.column_values import alike, first_of_each
from napari_channelmix.errors import DataError
from napari_channelmix.wording import quoted

if TYPE_CHECKING:
    # Imported with the first data set: a dock that opens before need not wait for it.
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["conditions_for", "conditions_of", "conditions_together"]


def conditions_of(
    rows: pd.DataFrame, group: str | None, left_out: Collection[str] = ()
) -> pd.DataFrame | None:
    """The columns of a table that are the same throughout every group.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of texts.
    group : str or None
        Column of the group; without one nothing is said of groups.
    left_out : collection of str
        Columns that are about something else.

    Returns
    -------
    pandas.DataFrame or None
        A row per group, named by it; None where no column is left.
    """
    if group is None:
        return None
    import pandas as pd

    columns = [name for name in rows.columns if name not in left_out and name != group]
    if not columns:
        return None
    names = rows[group].to_numpy(dtype=object)
    kinds = alike([names], len(rows))
    firsts = first_of_each(kinds)
    # Texts are compared with those of the first row of their group: nothing is sorted or counted.
    shared = [
        name
        for name in columns
        if _same_in_groups(rows[name].to_numpy(dtype=object), firsts, kinds)
    ]
    if not shared:
        return None
    conditions = rows[shared].iloc[firsts]
    conditions.index = pd.Index(names[firsts], name=group).astype(str)
    return conditions


def _same_in_groups(
    texts: npt.NDArray[np.object_], firsts: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64]
) -> bool:
    return bool((texts == texts[firsts][kinds]).all())


def conditions_together(parts: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    """Conditions of several data sets as one; a group of which they say different things has gaps.

    What a set does not say of its groups is empty text.
    """
    known = [part for part in parts if part is not None]
    if not known:
        return None
    import pandas as pd

    every = pd.concat(known)
    if every.index.is_unique:
        return every.fillna("")
    within = every.groupby(level=0, sort=False)
    return within.first().where(within.nunique() <= 1).fillna("")


def conditions_for(conditions: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """The rows of groups, in their order; missing values where nothing is said of one.

    Rows of one name that say the same count as one.

    Parameters
    ----------
    conditions : pandas.DataFrame
        A row per group, named by it.
    groups : sequence of G str

    Returns
    -------
    pandas.DataFrame
        G rows.

    Raises
    ------
    DataError
        Two rows of one name that say different things.
    """
    names = list(groups)
    if not conditions.index.is_unique:
        rows = conditions[conditions.index.isin(names)]
        conditions = rows[~rows.assign(_group=rows.index).duplicated()]
        if not conditions.index.is_unique:
            twice = conditions.index[conditions.index.duplicated()][0]
            raise DataError(
                f"conditions: several rows say different things of group {quoted(str(twice))}; "
                "give each group one row"
            )
    return conditions.reindex(names)
