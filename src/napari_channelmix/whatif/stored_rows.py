"""Results that hold rows of figures, as JSON and back: what is not known is null there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from napari_channelmix.errors import DataError
from napari_channelmix.wording import problem

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["result_from", "result_of"]

Result = TypeVar("Result")


def result_of(result: DataclassInstance) -> dict[str, Any]:
    """A result with ``rows`` for JSON, which has no NaN: None stands for it in the rows."""
    content = asdict(result)
    content["rows"] = [
        {name: None if value != value else value for name, value in row.items()}
        for row in content["rows"]
    ]
    return content


def result_from(kind: type[Result], content: Mapping[str, Any]) -> Result:
    """What `result_of` gave, checked: files are not trusted.

    Parameters
    ----------
    kind : type
        A dataclass whose field ``rows`` is a tuple of dataclasses.
    content : mapping

    Raises
    ------
    DataError
        Fields that are missing, or values of another type; one line.
    """
    rows = content.get("rows") if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise DataError("not what the command writes (rows: no list of keys with values)")
    known = [
        {name: float("nan") if value is None else value for name, value in row.items()}
        for row in rows
    ]
    try:
        return TypeAdapter(kind).validate_python({**content, "rows": known})
    except ValidationError as error:
        raise DataError(f"not what the command writes ({problem(error)})") from None
