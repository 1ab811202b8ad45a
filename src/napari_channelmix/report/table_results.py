"""The table of cells as CSV and Parquet, written some rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.atomic_write import written_whole
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.report.cell_columns import Column, columns_of, csv_field
from napari_channelmix.wording import path_shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_channelmix.report.results_by_cell import ResultsByCell

__all__ = ["no_unicode", "write_columns_job", "write_csv_job", "write_parquet_job"]

# Rows that are made into text at once: about a tenth of a second.
ROWS = 8_192
# Rows of a part of a Parquet file that is read at once.
ROW_GROUP = 65_536


def write_csv_job(results: ResultsByCell, path: Path) -> Job[Path]:
    """Write a row per cell as CSV; a job. See `report.cell_results.write_cells`."""
    columns = yield from _columns_job(results)
    yield from write_columns_job(columns, path)
    return path


def write_columns_job(
    columns: Sequence[Column], path: Path, separator: str = ",", *, formulas: bool = False
) -> Job[None]:
    """Write columns of one length as CSV, some rows at a time; a job.

    ``formulas`` leaves texts as they are that a spreadsheet would take for formulas.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like; a name that is no Unicode text.
    """
    count = len(columns[0])
    head = separator.join(csv_field(column.name, formulas=formulas) for column in columns)
    with written_whole(path) as neighbour:
        try:
            with neighbour.open("w", newline="", encoding="utf-8") as file:
                file.write(f"{head}\r\n")
                for rows in _slices(count, ROWS):
                    yield _progress(rows.start, count)
                    fields = zip(
                        *(column.fields(rows, formulas=formulas) for column in columns), strict=True
                    )
                    file.writelines(f"{separator.join(row)}\r\n" for row in fields)
        except UnicodeEncodeError as error:
            raise no_unicode(path, error) from error


def no_unicode(path: Path, error: UnicodeEncodeError) -> SaveError:
    """What is said of a file that would hold a name that is no Unicode text."""
    odd = ascii(str(error.object)[max(0, error.start - 20) : error.end + 10])
    return SaveError(
        f"could not save {path_shown(path)}: it would hold a name that is no Unicode text "
        f"({odd}); rename that file or folder"
    )


def write_parquet_job(results: ResultsByCell, path: Path) -> Job[Path]:
    """Write a row per cell as Parquet; a job. See `report.cell_results.write_cells`.

    Raises
    ------
    DataError
        pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            f"{path_shown(path)}: Parquet needs pyarrow; install it with: "
            "pip install 'napari-channelmix[parquet]'"
        ) from None
    columns = yield from _columns_job(results)
    schema = pyarrow.schema(
        [
            (
                column.name,
                pyarrow.string()
                if column.categories is not None
                else pyarrow.from_numpy_dtype(column.values.dtype),
            )
            for column in columns
        ]
    )
    with (
        written_whole(path) as neighbour,
        pyarrow.parquet.ParquetWriter(neighbour, schema) as writer,
    ):
        for rows in _slices(len(results), ROW_GROUP):
            yield _progress(rows.start, len(results))
            arrays = [
                pyarrow.array(column.plain(rows), type=entry.type)
                for column, entry in zip(columns, schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    return path


def _columns_job(results: ResultsByCell) -> Job[list[Column]]:
    """The columns, a step for each: of a million cells each takes tenths of a second."""
    columns = []
    for column in columns_of(results):
        yield _progress(0, len(results))
        columns.append(column)
    return columns


def _slices(count: int, size: int) -> Iterator[slice]:
    """Rows in parts; one part where there are none, for the head of the table."""
    for start in range(0, max(count, 1), size):
        yield slice(start, min(start + size, count))


def _progress(done: int, total: int) -> Progress:
    return Progress(done, max(total, 1), "writing the table")
