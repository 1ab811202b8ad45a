"""Cells: a data set made of files, layers or arrays; divided, scaled and put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.data import cell_sets
from napari_channelmix.data.arrays import category_names
from napari_channelmix.data.cell_boxes import BOX, CellBoxes
from napari_channelmix.data.cell_columns import columns_of_cells
from napari_channelmix.data.crop_pixels import without_differing_line
from napari_channelmix.data.crop_store import store_job
from napari_channelmix.data.frame_cells import cells_of_frame_job, description_of_columns
from napari_channelmix.data.identifier_columns import named_keys
from napari_channelmix.data.measured_scaling import scaled_job
from napari_channelmix.data.resampling import at_pixel_size
from napari_channelmix.data.scaling import normalised_by_group_job
from napari_channelmix.data.split import split_cells
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.settings import ClusterSettings
from napari_channelmix.settings.scaling import ScalingSettings
from napari_channelmix.shown_result import ShownResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.figure import Figure

    from napari_channelmix.data.image_planes import Plane
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.result_display import Summary

__all__ = ["BOX", "Cells"]


@dataclass(frozen=True, eq=False, repr=False)
class Cells(ShownResult, CellBoxes):
    """A data set of cells; immutable, and read crop by crop. `CellPlaces` has its attributes.

    Make one with `open_dataset`, `Cells.from_frame`, `Cells.from_labels`, `Cells.from_points` or
    `Cells.from_array`.

    Examples
    --------
    >>> cells.shape, cells.channels, cells.class_counts
    ((40, 2, 12, 12), ('GFP', 'DNA'), {'low': 20, 'high': 20})
    >>> train, test = cells.split(test=0.5, seed=0)
    >>> sorted(set(train.groups) & set(test.groups))
    []
    """

    def normalised_by_group(
        self,
        channels: Sequence[str] | None = None,
        per: str = "group",
        *,
        progress: ShowProgress = None,
    ) -> Cells:
        """The same cells with each channel scaled group by group.

        Every group gets the same level and spread: ``(x - level_g) / spread_g``, brought back to
        the units of the files. Level and spread of a group are the medians over its cells of the
        mean and the standard deviation of a crop's pixels. Our definition.

        Differences of stain, exposure and illumination between the groups are taken away, and so
        is every true difference in brightness between them. Where a group holds one class only,
        as wells do, what the classes owe to brightness is lost; a column that holds several
        classes, such as the plate, spares it.

        Parameters
        ----------
        channels : sequence of str, optional
            Those to scale; default: all.
        per : str
            ``group``, or a column of ``conditions``, such as ``plate``.
        progress : bool or callable, optional
            True: a bar, also in a notebook; a function: called with each `Progress`.

        Raises
        ------
        DataError
            A channel or column the data set does not have, a channel that is constant in a
            group, or a column by which the class is known, such as that of the classes.
        """
        return drain(normalised_by_group_job(self, channels=channels, per=per), progress)

    def scaled(
        self,
        clip: float | None = None,
        arcsinh: float | None = None,
        percentiles: tuple[float, float] | None = None,
        channels: Sequence[str] | None = None,
        *,
        progress: ShowProgress = None,
    ) -> Cells:
        """The same cells, the pixels of each channel scaled when they are read.

        In this order: what is brighter than the percentile ``clip`` counts as that; ``x`` becomes
        ``arcsinh(x / arcsinh)``; the two ``percentiles`` become 0 and 1. The percentiles are those
        of up to 600 cells of all fields and classes (of crops wider than 64 pixels their middle),
        and stay the same from then on. A classifier that is trained on them carries the scaling,
        and applies it to cells that are not scaled.
        ``cells.scaling.to_frame()`` holds the values, and what share of pixels was clipped.

        Parameters
        ----------
        clip : float, optional
            Percentile, 50 to 100.
        arcsinh : float, optional
            Cofactor, in raw units.
        percentiles : (float, float), optional
        channels : sequence of str, optional
            Those to scale; default: all.
        progress : bool or callable, optional
            True: a bar, also in a notebook; a function: called with each `Progress`.

        Raises
        ------
        DataError
            Channels the data set does not have, percentiles that are the same value, pixels that
            are scaled already.
        ModelError
            Values outside their bounds.

        Examples
        --------
        >>> cells.scaled(percentiles=(0, 100)).read().max().round(3).tolist()
        1.0
        """
        low, high = (None, None) if percentiles is None else percentiles
        settings = ScalingSettings(clip=clip, arcsinh=arcsinh, low=low, high=high)
        return drain(scaled_job(self, settings, channels), progress)

    def at_pixel_size(self, size: float) -> Cells:
        """The same cells, their crops resampled so that pixels have this side in micrometres.

        Each crop then shows as much of the sample as every other; see `data.resampling`.

        Parameters
        ----------
        size : float
            Micrometres.

        Raises
        ------
        DataError
            Images that do not state the size of their pixels, pixels that are no squares, cells
            whose boxes have sizes of their own, a box that does not fit its image.

        Examples
        --------
        >>> import numpy
        >>> from dataclasses import replace
        >>> cells = Cells.from_points([numpy.zeros((64, 64))], ["DNA"], [(30, 30)], crop=8)
        >>> field = replace(cells.fields[0], pixel_size=(0.25, 0.25), unit="µm")
        >>> replace(cells, fields=(field,)).at_pixel_size(0.5).boxes.tolist()
        [[22, 22, 38, 38]]
        """
        resampled = at_pixel_size(self, size)
        lines = tuple(without_differing_line(resampled.warnings))
        return replace(resampled, warnings=lines).with_cut_line()

    def split(self, test: float = 0.25, seed: int = 0) -> tuple[Cells, Cells]:
        """Divide into training and held-out cells; see `data.split.split_cells`."""
        return split_cells(self, test=test, seed=seed)

    def store(
        self,
        path: str | Path,
        *,
        rebuild: bool = False,
        workers: int = 0,
        scheduler: str = "",
        progress: ShowProgress = None,
    ) -> Cells:
        """The same cells, their crops written once into a folder and read from there.

        A sharded zarr array (version 3), in the type of the files where that holds all crops; the
        values stay the same to the bit. Whatever trains, explains or shows these cells then reads
        each crop at the cost of its bytes, in any order and from several processes. A store that
        is there already is used, and one that is not finished is gone on with.

        It is for these cells of these images only; classes, groups and splits do not matter.
        Subsets, and the cells with other labels or fewer channels, read from the same store.

        Parameters
        ----------
        path : path
            A new or empty folder, or the store of these cells.
        rebuild : bool
            Write the store of these cells again, as after their images were changed.
        workers, scheduler : int, str
            Who writes it; see `ClusterSettings`. Workers must reach the folder by the same path.
        progress : bool or callable, optional
            True: a bar, also in a notebook; a function: called with each `Progress`.

        Raises
        ------
        DataError
            A folder that holds something else, a store of other data, images that were changed
            since, or that cannot be read.
        SaveError
            Disk full and the like: what is done stays, and the same call goes on with it.
        InUseError
            Another run that writes the store.

        Examples
        --------
        >>> import tempfile, numpy
        >>> plane = numpy.arange(64 * 64, dtype="uint16").reshape(64, 64)
        >>> cells = Cells.from_points([plane], ["DNA"], [(30, 20), (9, 50)], crop=8)
        >>> folder = tempfile.mkdtemp()
        >>> stored = cells.store(f"{folder}/crops")
        >>> bool((stored.read([1, 0]) == cells.read([1, 0])).all())
        True
        """
        cluster = ClusterSettings(workers=workers, scheduler=scheduler)
        return drain(self.store_job(path, rebuild=rebuild, cluster=cluster), progress)

    def store_job(
        self,
        path: str | Path,
        *,
        rebuild: bool = False,
        cluster: ClusterSettings | None = None,
    ) -> Job[Cells]:
        """`store` as a job: closing it leaves what is done, to be gone on with."""
        return store_job(self, path, rebuild=rebuild, cluster=cluster)

    def with_warnings(self, *lines: str) -> Cells:
        """The same cells with more to be said of them, before what is said already.

        Parameters
        ----------
        *lines : str
            Those that are said already are not said twice.
        """
        return replace(self, warnings=tuple(dict.fromkeys((*lines, *self.warnings))))

    def to_frame(self) -> pd.DataFrame:
        """A row per cell: where it is, its group and class, then the user's own columns.

        See `data.cell_columns` and `CellBoxes.keys`; one of the user's that is called like one of
        ours gets `` (table)`` behind its name.

        Returns
        -------
        pandas.DataFrame
            ``cell``, ``field``, ``field_name``, ``object`` (0 without an outline), ``y`` and ``x``
            (middle of the cell in pixels of its image), ``at_border``, ``group``, ``label``, then
            the user's columns as texts.

        Examples
        --------
        >>> import numpy
        >>> cells = Cells.from_points([numpy.zeros((64, 64))], ["DNA"], [(30, 20)], crop=8)
        >>> frame = cells.to_frame()
        >>> frame.loc[0, ["y", "x"]].tolist(), bool(frame.loc[0, "at_border"])
        ([30.0, 20.0], False)
        """
        import pandas as pd

        columns = columns_of_cells(self)
        return pd.DataFrame({**columns, **named_keys(self.keys, columns)})

    def summary(self) -> Summary:
        """What is shown of them in a notebook: a row per class, and some of the crops."""
        from napari_channelmix.data.result_summaries import cells_summary

        return cells_summary(self)

    def __repr__(self) -> str:
        from napari_channelmix.data.result_summaries import cells_summary

        # No image is read for a line of text.
        return cells_summary(self, pictures=False).line(type(self).__name__)

    def plot(self, cells: Sequence[int] | None = None) -> Figure:
        """Some cells: each channel stretched by itself, the channels averaged to grey.

        Of more than six channels, those that tell most, in colours; see `data.display_channels`.

        Parameters
        ----------
        cells : sequence of int, optional
            Positions; default: up to 18, as many of each class as of the others.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        DataError
            Images that cannot be read.
        """
        from napari_channelmix.charts import contact_sheet
        from napari_channelmix.data.result_summaries import (
            cells_summary,
            examples_of,
            pictures_of,
        )

        chosen, titles = examples_of(self, cells)
        heading = "; ".join(cells_summary(self, pictures=False).facts)
        pictures, words = pictures_of(self, chosen)
        return contact_sheet(pictures, titles, f"{heading}; {words}")

    def save(self, folder: str | Path, *, progress: ShowProgress = None) -> Path:
        """As `save_dataset`: write the cells as a data set that `open_dataset` reads back."""
        from napari_channelmix.data.write_dataset import save_dataset

        return save_dataset(self, folder, progress=progress)

    # ---------------------------------------------------------------- making

    @classmethod
    def from_labels(
        cls,
        planes: Sequence[Plane],
        channels: Sequence[str],
        labels: npt.NDArray[Any],
        *,
        crop: int,
        classes_of: dict[int, str] | None = None,
        name: str = "image",
        labelled: bool = True,
        keys: pd.DataFrame | None = None,
    ) -> Cells:
        """Cells of a label image over one field of view.

        Parameters
        ----------
        planes : sequence of (Y, X) array-likes
            One for each channel.
        channels : sequence of str
        labels : (Y, X) array
            0 is background; any whole number up to 2**63 - 1 is an id, which stays the cell's
            ``object``. Booleans are binary.
        crop : int
            Side of the crops in pixels.
        classes_of : dict of int to str, optional
            Class of an id; ids that are not in it have none.
        name : str
        labelled : bool
            Whether each id is one cell, at the largest of its regions. Else every connected
            region is a cell, numbered 1..n in reading order, whatever its id.
        keys : pandas.DataFrame, optional
            Columns of yours that name each cell, to join results on; its index holds the ids.

        Raises
        ------
        DataError
            Sizes that differ, an empty label image, values that are no ids, a crop larger than the
            image, keys that lack an id.

        Examples
        --------
        >>> import numpy, pandas
        >>> labels = numpy.zeros((40, 60), int)
        >>> labels[10:16, 10:18], labels[20:28, 30:36] = 3, 8
        >>> keys = pandas.DataFrame({"name": ["a", "b"]}, index=[3, 8])
        >>> cells = Cells.from_labels(
        ...     [numpy.ones((40, 60))], ["DNA"], labels, crop=12, classes_of={3: "live"}, keys=keys
        ... )
        >>> cells.to_frame()[["object", "label", "name"]].values.tolist()
        [[3, 'live', 'a'], [8, '', 'b']]
        """
        return cell_sets.of_labels(
            cls, planes, channels, labels, crop, classes_of, name, labelled, keys
        )

    @classmethod
    def from_points(
        cls,
        planes: Sequence[Plane],
        channels: Sequence[str],
        points: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        classes: Sequence[str] | None = None,
        groups: Sequence[Any] | None = None,
        *,
        crop: int,
        name: str = "image",
        keys: Any = None,
    ) -> Cells:
        """Cells around points over one field of view.

        Parameters
        ----------
        planes : sequence of (Y, X) array-likes
            One for each channel.
        channels : sequence of str
        points : (N, 2) array
            y and x in pixels. Pixel centres are whole numbers: the image reaches from -0.5 to its
            size less 0.5.
        labels, classes, groups, keys
            As for `from_array`, a value for each point.
        crop : int
            Side of the crops in pixels.
        name : str

        Raises
        ------
        DataError
            Points outside the image or that are no numbers, sizes that differ, a crop larger than
            the image; labels, groups or keys that do not fit.

        Examples
        --------
        >>> import numpy
        >>> points = [(30, 20), (9, 50)]
        >>> cells = Cells.from_points(
        ...     [numpy.zeros((64, 64))], ["DNA"], points, ["live", None], crop=8, keys=["a7", "b2"]
        ... )
        >>> cells.labels.tolist(), cells.to_frame()["id"].tolist()
        ([0, -1], ['a7', 'b2'])
        """
        return cell_sets.of_points(
            cls, planes, channels, points, crop, name, labels, classes, groups, keys
        )

    @classmethod
    def from_array(
        cls,
        crops: npt.NDArray[Any],
        channels: Sequence[str],
        labels: npt.ArrayLike | None = None,
        classes: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        *,
        name: str = "array",
        keys: Any = None,
    ) -> Cells:
        """Cells that are already cut out: an (N, C, H, W) array with H = W.

        Parameters
        ----------
        crops : (N, C, H, W) array
            Whole numbers or floats.
        channels : sequence of C str
        labels : (N,) array, optional
            Names of classes, or their positions; -1, NaN, None and empty names for none. Of a
            pandas Categorical the categories are the classes, in their order.
        classes : sequence of str, optional
            Default: the names among the labels, 2 before 10.
        groups : sequence of N str, optional
            Default: each cell is a group of its own.
        name : str
        keys : pandas.DataFrame, mapping of str to sequences, or sequence, optional
            Columns of yours that name each cell, to join results on; a sequence or Series is one
            column, called by its own name or ``id``. They stand in every table that is written.

        Raises
        ------
        DataError
            An array of another shape or type, or names and labels that do not fit it.

        Examples
        --------
        >>> import numpy, pandas
        >>> crops = numpy.zeros((3, 1, 8, 8))
        >>> labels = pandas.Categorical(["low", "high", None], categories=["low", "high"])
        >>> cells = Cells.from_array(crops, ["DNA"], labels, keys={"cell_id": [101, 107, 108]})
        >>> cells.classes, cells.labels.tolist(), cells.keys["cell_id"].tolist()
        (('low', 'high'), [0, 1, -1], ['101', '107', '108'])
        """
        return cell_sets.of_array(cls, crops, channels, labels, classes, groups, name, keys)

    @classmethod
    def from_anndata(
        cls,
        adata: Any,
        planes: Sequence[Plane] | None = None,
        channels: Mapping[str, str] | Sequence[str] | None = None,
        *,
        image: str | None = None,
        spatial: str = "spatial",
        label: str | None = None,
        group: str | None = None,
        keys: Sequence[str] = (),
        classes: Sequence[str] | None = None,
        crop: int,
        axes: str | None = None,
        pixel_size: float | None = None,
        folder: str | Path = ".",
        name: str = "anndata",
        progress: ShowProgress = None,
    ) -> Cells:
        """Cells of an AnnData object, around the places in ``obsm``, over images of yours.

        Nothing is guessed: the columns of ``obs`` are named here, and ``obsm[spatial]`` holds x,
        then y, in pixels of the image. The names of the observations go with the cells, so that
        results can be joined with ``adata.obs``; see `Cells.keys`.

        Parameters
        ----------
        adata : anndata.AnnData
            Only ``obs`` and ``obsm`` are read.
        planes : sequence of (Y, X) array-likes, optional
            The image that all observations lie in, one for each channel. Or ``image``.
        channels : sequence of str, or mapping
            Names of the channels; without ``planes`` and ``image`` the column of ``obs`` with the
            files of each channel, by its name.
        image : str, optional
            Column of ``obs`` with the image file of each observation.
        spatial : str
            Entry of ``obsm``.
        label, group : str, optional
            Columns of ``obs``: the class (missing for none) and the group.
        keys : sequence of str
            Columns of ``obs`` that go with the cells, besides the names of the observations.
        classes : sequence of str, optional
            All classes in their order; default: the categories of the column, or its names.
        crop : int
            Side of the crops in pixels.
        axes, pixel_size, folder
            Of image files, as for `from_frame`.
        name : str
        progress : bool or callable, optional
            True: a bar, also in a notebook; a function: called with each `Progress`.

        Raises
        ------
        DataError
            No AnnData object, a column or entry that is missing, places outside the image, both
            ``planes`` and files, or neither.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> import numpy, pandas
        >>> obs = pandas.DataFrame({"cell_type": ["B", None]}, index=["AAC-1", "AAG-1"])
        >>> adata = SimpleNamespace(obs=obs, obsm={"spatial": numpy.array([[20, 30], [50, 9]])})
        >>> cells = Cells.from_anndata(
        ...     adata, [numpy.zeros((64, 64))], ["DNA"], label="cell_type", crop=8
        ... )
        >>> cells.to_frame()[["y", "x", "label", "obs_name"]].values.tolist()
        [[30.0, 20.0, 'B', 'AAC-1'], [9.0, 50.0, '', 'AAG-1']]
        """
        from napari_channelmix.data import anndata_cells

        rows = anndata_cells.observations(adata, name)
        places = anndata_cells.places_of(adata, spatial, len(rows), name)
        labels = anndata_cells.column_of(rows, label, "class", name)
        groups = anndata_cells.column_of(rows, group, "group", name)
        own = anndata_cells.own_keys(rows, keys, name)
        files = image is not None or isinstance(channels, Mapping)
        if files == (planes is not None):
            raise DataError(
                f"{name}: give planes=, the image as arrays, or image=, the column of obs with its "
                "file" + (", not both" if files else "")
            )
        if planes is not None:
            names = () if channels is None else tuple(channels)
            return cell_sets.of_points(
                cls, planes, names, places, crop, name, labels, classes, groups, own
            )
        frame, (y, x) = anndata_cells.with_places(rows, places)
        if classes is None and labels is not None:
            classes = category_names(labels)
        cells = cls.from_frame(
            frame,
            image=image,
            channels=channels,
            axes=axes,
            x=x,
            y=y,
            label=label,
            group=group,
            classes=classes,
            crop=crop,
            pixel_size=pixel_size,
            folder=folder,
            name=name,
            progress=progress,
        )
        return cell_sets.with_own_keys(cells, own)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        image: str | None = None,
        channels: Mapping[str, str] | Sequence[str] | None = None,
        axes: str | None = None,
        x: str | None = None,
        y: str | None = None,
        label: str | None = None,
        group: str | None = None,
        split: str | None = None,
        object: str | None = None,
        mask: str | None = None,
        classes: Sequence[str] | None = None,
        labelled: bool | None = None,
        crop: int = 64,
        pixel_size: float | None = None,
        planes: Mapping[str, Any] | None = None,
        tracks: bool = False,
        folder: str | Path = ".",
        name: str = "table",
        progress: ShowProgress = None,
    ) -> Cells:
        """Cells of a DataFrame with a row per cell or per image, which names image files.

        Its columns and its index go with the cells (`Cells.keys`), so that results can be joined
        with it: all that name cells, none that measure them; see `data.identifier_columns`. Values
        are read as those of a CSV file: ``1``, ``1.0`` and ``"1"`` are one class.

        Parameters
        ----------
        frame : pandas.DataFrame
        image : str, optional
            Column of image files that hold all channels.
        channels : dict of str to str, or sequence of str
            Without ``image``: the column of files of each channel, by its name. With ``image``:
            the names of its channels; default: those of the files.
        axes : str, optional
            Of the files in ``image``, such as ``"CYX"``; default: as the files say.
        x, y : str, optional
            Columns of the centre of a cell in pixels; pixel centres are whole numbers.
        label, group, split : str, optional
            Columns of the class (empty for none), the group (default: each row is one), and
            the part: train, val or test.
        object, mask : str, optional
            Column of label images, and of the id of a row's cell in it. Without ``object`` a row
            stands for all cells of its label image.
        classes : sequence of str, optional
            All classes in their order.
        labelled : bool, optional
            Whether each id of a label image is one cell; see `data.masks`.
        crop : int
            Side of the crops in pixels. Without ``x``, ``y`` and ``mask`` the whole image is the
            cell, and is resized to it.
        pixel_size : float, optional
            Side of a pixel in micrometres that crops are resampled to.
        planes : mapping, optional
            Which planes of stacks are used: the keys of ``[planes]`` in a data-set file, such as
            ``{"t": "each", "t_column": "frame"}``.
        tracks : bool
            Whether an id is one object in all planes of its stack, and so a group.
        folder : path
            What paths in the table are relative to.
        name : str
            What the table is called in messages and results.
        progress : bool or callable, optional
            True: a bar, also in a notebook; a function: called with each `Progress`.

        Raises
        ------
        DataError
            One line that names the row, by its index, and the column that is wrong.

        Examples
        --------
        >>> import tempfile, numpy, pandas, tifffile
        >>> folder = tempfile.mkdtemp()
        >>> tifffile.imwrite(f"{folder}/a.tif", numpy.zeros((40, 50), "uint8"))
        >>> frame = pandas.DataFrame({"dna": "a.tif", "y": [12, 30], "x": [20, 25]})
        >>> frame.index = pandas.Index([101, 107], name="cell_id")
        >>> cells = Cells.from_frame(
        ...     frame, channels={"DNA": "dna"}, x="x", y="y", crop=16, folder=folder
        ... )
        >>> cells.shape, cells.keys["cell_id"].tolist()
        ((2, 1, 16, 16), ['101', '107'])
        """
        description = description_of_columns(
            name,
            image=image,
            channels=channels,
            axes=axes,
            x=x,
            y=y,
            label=label,
            group=group,
            split=split,
            object=object,
            mask=mask,
            classes=classes,
            labelled=labelled,
            crop=crop,
            pixel_size=pixel_size,
            planes=planes,
            tracks=tracks,
        )
        return drain(cells_of_frame_job(cls, frame, description, Path(folder), name), progress)

    @classmethod
    def together(cls, parts: Sequence[Cells], name: str | None = None) -> Cells:
        """Several data sets with the same channels and crops as one.

        Classes are joined by name, and groups meet where their names are equal. Where the pixels
        of the crops differ in size, a warning proposes one; see `at_pixel_size`.

        Raises
        ------
        DataError
            Channels or crops that differ.
        """
        return cell_sets.together(cls, parts, name)
