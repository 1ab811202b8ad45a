"""What a column of a scan says: a file, a channel, a well, a class ..."""

from __future__ import annotations

from enum import StrEnum

from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, quoted

__all__ = ["PLACES", "SINGLE", "Role"]


class Role(StrEnum):
    """What a column says of an image file, or of an object.

    The value is what a person reads, in the window and on the command line.

    Examples
    --------
    >>> Role.of(" Well row")
    <Role.WELL_ROW: 'well row'>
    """

    IMAGE = "image file"
    MASK = "label image"
    CHANNEL = "channel"
    PLATE = "plate"
    WELL = "well"
    WELL_ROW = "well row"
    WELL_COLUMN = "well column"
    FIELD = "field"
    PLANE = "plane"
    TIME = "time"
    CLASS = "class"
    DOSE = "dose"
    GROUP = "group"
    SPLIT = "split"
    OBJECT = "cell id"
    X = "x"
    Y = "y"
    KEY = "keep"
    IGNORE = "leave out"

    @classmethod
    def of(cls, text: str) -> Role:
        """The role that a text names.

        Parameters
        ----------
        text : str
            The value of a role; capitals and blanks around it do not count.

        Raises
        ------
        DataError
            None; the line lists them.
        """
        try:
            return cls(str(text).strip().casefold())
        except ValueError:
            raise DataError(f"{quoted(text)} is no role; roles: {listed(cls, 30)}") from None


# At most one column has such a role.
SINGLE = (
    Role.MASK,
    Role.CHANNEL,
    Role.PLATE,
    Role.WELL,
    Role.WELL_ROW,
    Role.WELL_COLUMN,
    Role.FIELD,
    Role.PLANE,
    Role.TIME,
    Role.CLASS,
    Role.GROUP,
    Role.SPLIT,
    Role.OBJECT,
    Role.X,
    Role.Y,
)

# Where an image lies: files that agree in these, and differ in the channel, are one field of view.
PLACES = (
    Role.PLATE,
    Role.WELL,
    Role.WELL_ROW,
    Role.WELL_COLUMN,
    Role.FIELD,
    Role.TIME,
    Role.PLANE,
    Role.CLASS,
    Role.DOSE,
    Role.GROUP,
    Role.SPLIT,
    Role.OBJECT,
    Role.KEY,
)
