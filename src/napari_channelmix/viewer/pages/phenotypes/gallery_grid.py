"""Where the tiles of a gallery stand: rows of squares, as many in a row as there is room for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Grid"]

GAP = 5


@dataclass(frozen=True)
class Grid:
    """Places in pixels, from the top of the first row; nothing is kept for a tile.

    Attributes
    ----------
    count : int
        Tiles.
    requested_side : int
        Side of a tile; tiles are a little larger, so that they fill the row.
    width : int
        Room for a row.
    """

    count: int = 0
    requested_side: int = 64
    width: int = 320

    @property
    def columns(self) -> int:
        """Tiles in a row."""
        return max(1, (self.width - GAP) // (self.requested_side + GAP))

    @property
    def pitch(self) -> int:
        """From a tile to the next one."""
        return max(GAP + 8, (self.width - GAP) // self.columns)

    @property
    def side(self) -> int:
        """Side of a tile."""
        return self.pitch - GAP

    @property
    def rows(self) -> int:
        """Rows."""
        return -(-self.count // self.columns)

    @property
    def height(self) -> int:
        """Height of all rows."""
        return self.rows * self.pitch + GAP

    def corner(self, index: int) -> tuple[int, int]:
        """Left and top of a tile."""
        row, column = divmod(index, self.columns)
        return GAP + column * self.pitch, GAP + row * self.pitch

    def tile_at(self, x: int, y: int) -> int | None:
        """The tile at a place, the gap beside it included."""
        column, row = x // self.pitch, y // self.pitch
        index = row * self.columns + column
        inside = 0 <= column < self.columns and row >= 0
        return index if inside and index < self.count else None

    def between(self, top: int, bottom: int) -> range:
        """Tiles of the rows that reach into a strip."""
        first = max(0, (top - GAP) // self.pitch)
        last = max(first, bottom // self.pitch + 1)
        return range(min(first * self.columns, self.count), min(last * self.columns, self.count))
