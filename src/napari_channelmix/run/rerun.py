"""Do again what a config says: each part in its own folder, and a report of all of it.

1. Open the data sets; refuse one that has changed since the config was made.
2. The classifiers: train them, or open their files and refuse one that is another.
3. Of each data set: channel importance, predictions, explanations, latents, what-if, as the single
   commands do them; where there are several data sets, each has a folder of its name.
4. ``report.html`` and a copy of the config.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import refuse_no_folder
from napari_channelmix.config import (
    Config,
    ModelChannelsPart,
    TransplantsPart,
    read_config,
    write_config,
)
from napari_channelmix.config.file import folder_names
from napari_channelmix.config.recorded_cells import recorded_cells_job
from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job
from napari_channelmix.drl import View, load_disentangler
from napari_channelmix.drl.channel_view import named_channels_job
from napari_channelmix.drl.source_encoder import early_view
from napari_channelmix.errors import ConfigError
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.report import ClassifierFacts, report_job
from napari_channelmix.report.predict_dataset import Predicted, predict_cells_job
from napari_channelmix.run.config_classifier import classifier_job, computing_as, device_of
from napari_channelmix.run.encode_dataset import Encoded, encode_cells_job
from napari_channelmix.run.explain_dataset import Explained, explain_cells_job
from napari_channelmix.run.other_answers import (
    AUDIT,
    CHANNELS,
    TRANSPLANTS,
    OtherAnswer,
    audit_file_job,
    channels_files_job,
    transplants_files_job,
)
from napari_channelmix.run.report import Sources, findings_job
from napari_channelmix.run.what_if_dataset import WhatIfFolder, what_if_cells_job
from napari_channelmix.settings import (
    ChannelSettings,
    ExplainSettings,
    ImportanceSettings,
    LatentsSettings,
    PredictSettings,
    TransplantSettings,
    WhatIfSettings,
    settings_of,
)
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.config import DataSetConfig, ImportancePart, LatentsPart
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.drl import Disentangler
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.report import Findings

__all__ = ["Rerun", "run_config", "run_config_job"]


@dataclass(frozen=True)
class Rerun:
    """What came of a config; parts that it does not have are None or empty.

    Attributes
    ----------
    config : Config, or DataSetConfig for one of several data sets
    cells : Cells
    classifier : Classifier, ForeignClassifier or None
        That of this data set.
    importance : ChannelImportance or None
    explained : tuple of Explained
    latents : Encoded or None
    out : path
        The folder with all files; ``report.html`` is among them.
    predictions : Predicted or None
    what_if : WhatIfFolder or None
    left_out : tuple of str
        What could not be asked about changed cells, and why, a line each.
    others : tuple of Rerun
        What came of further data sets; all of them are in one report.
    """

    config: DataSetConfig
    cells: Cells
    classifier: Classifier | ForeignClassifier | None
    importance: ChannelImportance | None
    explained: tuple[Explained, ...]
    latents: Encoded | None
    out: Path
    predictions: Predicted | None = None
    what_if: WhatIfFolder | None = None
    left_out: tuple[str, ...] = ()
    others: tuple[Rerun, ...] = ()

    @property
    def report(self) -> Path:
        """The report."""
        return self.out / "report.html"

    @property
    def data_sets(self) -> tuple[Rerun, ...]:
        """What came of each data set, this one included."""
        return (self, *self.others)


def run_config(
    path: str | Path,
    out: str | Path | None = None,
    *,
    device: str = "auto",
    allow_code: bool = False,
    progress: ShowProgress = None,
) -> Rerun:
    """Do again what a config says.

    Parameters
    ----------
    path : path
        A config, as the page 'Report' saves it.
    out : path, optional
        Folder to fill; by default one beside the config, of its name. A run that was stopped goes
        on there.
    device : {"auto", "cpu", "cuda", "mps"}
        ``auto``: those that the config names.
    allow_code : bool
        Run code of a model made elsewhere: a function, a TorchScript or torch.export file; not
        needed for ONNX.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Returns
    -------
    Rerun

    Raises
    ------
    ConfigError
        A config that cannot be read, data or a model that have changed since it was made.
    DataError, ModelError, SaveError
        As the single jobs.
    InUseError
        Another run that works in the folder.

    Examples
    --------
    >>> from napari_channelmix.config import Config, DataPart, ExplanationPart, write_config
    >>> from napari_channelmix.config import ClassifierPart, TrainingPart
    >>> file = cm.save_dataset(cells, folder / "data")
    >>> training = TrainingPart(network="tiny", epochs=1)
    >>> config = Config(
    ...     data=DataPart(dataset=str(file)), classifier=ClassifierPart(training=training)
    ... )
    >>> path = folder / "config.json"
    >>> _ = write_config(config, path)
    >>> cm.run_config(path).report.name
    'report.html'
    """
    folder = Path(path).with_suffix("") if out is None else Path(out)
    return drain(
        run_config_job(read_config(path), folder, device=device, allow_code=allow_code), progress
    )


def run_config_job(
    config: Config, out: Path, *, device: str = "auto", allow_code: bool = False
) -> Job[Rerun]:
    """`run_config` as a job, from a config that was read."""
    refuse_no_folder(out)
    with in_use(out):
        return (yield from _parts_job(config, out, device, allow_code))


# How long the parts take, against each other.
WEIGHTS = {
    "classifier": 20,
    "importance": 45,
    "predictions": 3,
    "explanations": 10,
    "latents": 15,
    "what_if": 15,
    "transplants": 5,
    "model_channels": 3,
    "audit": 5,
}
# Parts that ask about changed cells at once, without a folder of blocks.
OTHERS = ("transplants", "model_channels", "audit")


class _Steps:
    """Lays the parts of all data sets end to end in one progress bar."""

    def __init__(self, config: Config) -> None:
        names = [name for data_set in config.data_sets for name in data_set.parts]
        self._total = sum(WEIGHTS[name] for name in names) or 1
        self._done = 3.0

    def of(self, job: Job[Any], name: str, share: float = 1.0) -> Job[Any]:
        """A part, or a share of one, as the next piece of the bar."""
        start, length = self._done, 92 * WEIGHTS[name] * share / self._total
        self._done += length
        return part(job, start, length, 100, f"{name}: ")


def _parts_job(config: Config, out: Path, device: str, allow_code: bool) -> Job[Rerun]:
    every: list[Cells] = []
    folders = [out / name for name in folder_names(config)]
    share = 3 / len(config.data_sets)
    for index, data_set in enumerate(config.data_sets):
        opened = recorded_cells_job(data_set.data)
        every.append((yield from part(opened, index * share, share, 100)))
        refuse_changed(data_set, every[-1])
    # That it is not there is better known now than after an hour of training. What encodes features
    # may have to be learnt first: that is a part of finding the latents.
    sources = [
        None if part_of is None or part_of.features else load_disentangler(part_of.model)
        for part_of in (data_set.latents for data_set in config.data_sets)
    ]
    for data_set, cells, source in zip(config.data_sets, every, sources, strict=True):
        if data_set.latents is not None:
            chosen = _latents_settings(data_set.latents)
            looked_at = yield from part(named_channels_job(cells, chosen.looked_at), 3, 0, 100)
            early_view(source or chosen.model, cells, looked_at)
    steps = _Steps(config)
    classifiers: list[Any] = []
    for data_set, cells, folder in zip(config.data_sets, every, folders, strict=True):
        model = None
        if data_set.classifier is not None:
            job = classifier_job(data_set, cells, folder / "classifier", device, allow_code)
            model = yield from steps.of(job, "classifier")
        classifiers.append(model)
    done: list[Rerun] = []
    findings: list[Findings] = []
    for index, source in enumerate(sources):
        rerun = yield from _results_job(
            config, index, every[index], classifiers, source, folders[index], device, steps
        )
        done.append(rerun)
    write_config(config, out / "config.json")
    for index, rerun in enumerate(done):
        summary_job = _findings_job(config, index, rerun, classifiers)
        findings.append(
            (yield from part(summary_job, 95 + 3 * index / len(done), 3 / len(done), 100))
        )
    whole = replace(findings[0], config=config, others=tuple(findings[1:]))
    yield from part(report_job(whole, out / "report.html"), 98, 2, 100)
    return replace(done[0], config=config, out=out, others=tuple(done[1:]))


def _results_job(
    config: Config,
    index: int,
    cells: Cells,
    classifiers: list[Any],
    source: Disentangler | None,
    out: Path,
    device: str,
    steps: _Steps,
) -> Job[Rerun]:
    """What is found of one data set."""
    data_set = config.data_sets[index]
    importance = None
    if data_set.importance is not None:
        with computing_as(data_set.importance.threads):
            importance = yield from steps.of(
                _importance_job(data_set.importance, cells, out / "importance", device),
                "importance",
            )
        importance.save(out / "importance")
    predictions = None
    if data_set.predictions is not None:
        model = classifiers[config.owner_of(data_set, data_set.predictions)]
        job = predict_cells_job(
            model,
            cells,
            out / "predictions",
            settings=settings_of(PredictSettings, data_set.predictions),
            device=device_of(device, config.device),
        )
        predictions = yield from steps.of(job, "predictions")
    explained = []
    for number, explanation in enumerate(data_set.explanations, start=1):
        owner = config.owner_of(data_set, explanation)
        classifier = config.data_sets[owner].classifier
        usual = None if classifier is None else classifier.prior
        prior = usual if explanation.prior is None else explanation.prior
        settings = settings_of(ExplainSettings, explanation, prior=prior)
        maps = explain_cells_job(
            classifiers[owner],
            cells,
            out / "explanations" / str(number),
            settings,
            device=device_of(device, config.device),
            batch=1 if explanation.cells else None,
        )
        explained.append(
            (yield from steps.of(maps, "explanations", 1 / len(data_set.explanations)))
        )
    latents = None
    if data_set.latents is not None:
        with computing_as(data_set.latents.threads):
            encode = encode_cells_job(
                source,
                cells,
                out / "latents",
                _latents_settings(data_set.latents),
                device=device_of(device, config.device),
            )
            latents = yield from steps.of(encode, "latents")
    what_if, left_out = None, list[str]()
    if data_set.what_if is not None:
        wanted = data_set.what_if
        answer = what_if_cells_job(
            classifiers[config.owner_of(data_set, wanted)],
            cells,
            out / "whatif",
            settings_of(WhatIfSettings, wanted),
            transplants=wanted.transplants,
            channels=wanted.channels,
            players=dict(wanted.players),
        )
        what_if = yield from steps.of(answer, "what_if")
        left_out += what_if.left_out
    for name in (name for name in data_set.parts if name in OTHERS):
        asked = getattr(data_set, name)
        model = classifiers[config.owner_of(data_set, asked)]
        other = yield from steps.of(_other_job(asked, model, cells, out / "whatif"), name)
        left_out += [other.left_out] if other.left_out else []
    return Rerun(
        data_set,
        cells,
        classifiers[index],
        importance,
        tuple(explained),
        latents,
        out,
        predictions,
        what_if,
        left_out=tuple(left_out),
    )


def _other_job(asked: Any, model: Any, cells: Cells, out: Path) -> Job[OtherAnswer]:
    """What else was asked about changed cells, into a folder."""
    if isinstance(asked, TransplantsPart):
        exchange = settings_of(TransplantSettings, asked)
        return transplants_files_job(model, cells, out, exchange)
    if isinstance(asked, ModelChannelsPart):
        return channels_files_job(model, cells, out, settings_of(ChannelSettings, asked))
    return audit_file_job(model, cells, out, settings_of(AuditSettings, asked), asked.mapped)


def _findings_job(
    config: Config, index: int, rerun: Rerun, classifiers: list[Any]
) -> Job[Findings]:
    """What the report says of one data set."""
    data_set, out = config.data_sets[index], rerun.out
    # The classifier that it was classified with, or explained with; else its own.
    used = [config.owner_of(data_set, part) for part in data_set.classified]
    owner = used[0] if used else index
    classifier = config.data_sets[owner].classifier
    prior = None if classifier is None else classifier.prior
    if data_set.predictions is not None:
        # The usual one where none is named, as in the files of the predictions.
        prior = data_set.predictions.prior
    sources = Sources(
        model=classifiers[owner],
        importance=out / "importance" if rerun.importance is not None else None,
        explain=tuple(out / "explanations" / str(n + 1) for n in range(len(rerun.explained))),
        latents=out / "latents" if rerun.latents is not None else None,
        what_if=_with_any(
            out / "whatif",
            {
                "whatif.json": data_set.what_if,
                TRANSPLANTS: data_set.transplants or data_set.what_if,
                CHANNELS: data_set.model_channels or data_set.what_if,
            },
        ),
        audit=_with_any(out / "whatif", {AUDIT: data_set.audit}, AUDIT),
        prior=prior,
        trained_on="" if owner == index else config.data_sets[owner].data.name,
    )
    result = yield from findings_job(
        rerun.cells, sources, config=config, source=data_set.data.dataset
    )
    own = None
    if owner != index and rerun.classifier is not None:
        own = ClassifierFacts.of(rerun.classifier, "as configured")
    name = data_set.data.name if config.others else ""
    # Those of the first data set stand above all of them.
    notes = (*result.notes, *rerun.left_out)
    notes = tuple(f"{name}: {line}" for line in notes) if name else notes
    return replace(result, config=None, name=name, own_classifier=own, notes=notes)


def _with_any(folder: Path, wanted: dict[str, Any], name: str = "") -> Path | None:
    """A folder, or a file in it, where any of the files is there that a part was to write."""
    there = any(part and (folder / file).is_file() for file, part in wanted.items())
    return folder / name if there else None


def refuse_changed(config: DataSetConfig, cells: Cells) -> None:
    """Refuse cells that are not those the config was made with.

    Raises
    ------
    ConfigError
    """
    data = config.data
    if data.fingerprint is not None and cells.fingerprint != data.fingerprint:
        missing = listed([name for name in data.channels if name not in cells.channels], 6)
        others = "its pixels, boxes, classes, groups or split are others"
        differ = f"it has no {missing}" if missing else others
        if data.n != len(cells):
            differ = f"{len(cells)} cells instead of {data.n}"
        raise ConfigError(
            f"{data.dataset} has changed since the config was made ({differ}); make a new config, "
            "or take data.fingerprint out of this one to run it all the same"
        )


def _importance_job(
    record: ImportancePart, cells: Cells, out: Path, device: str
) -> Job[ChannelImportance]:
    settings = settings_of(ImportanceSettings, record, device=device_of(device, record.device))
    return divided_importance_job(cells, settings=settings, parts=out / "parts")


def _latents_settings(record: LatentsPart) -> LatentsSettings:
    view = None if record.view is None else View.from_dict(record.view)
    return settings_of(LatentsSettings, record, view=view)
