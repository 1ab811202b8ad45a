"""Do again what a config says: each part in its own folder, and a report of all of it.

1. Open the data set; refuse it where it has changed since the config was made.
2. The classifier: train it, or open its file and refuse it where it is another one.
3. Channel importance, explanations, latents, as the single commands do them.
4. ``report.html`` and a copy of the config.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.classify import Classifier, TrainingSettings, load_bundle, load_model
from napari_channelmix.classify.identity import earlier_hashes, model_hash
from napari_channelmix.computing import Computing, computing, computing_with
from napari_channelmix.config import Config, TrainingPart, read_config, write_config
from napari_channelmix.config.facts import LEARNING, training_part
from napari_channelmix.data import open_dataset_job
from napari_channelmix.dcmix.divided import divided_importance_job
from napari_channelmix.drl import View, load_disentangler
from napari_channelmix.errors import BundleError, ConfigError
from napari_channelmix.files import refuse_no_folder
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.report import report_job
from napari_channelmix.run.explaining import Explained, ExplainSettings, explain_cells_job
from napari_channelmix.run.latents import Encoded, LatentsSettings, encode_cells_job
from napari_channelmix.run.report import Sources, findings_job
from napari_channelmix.run.training import train_into_job
from napari_channelmix.settings import ClassifierSettings

if TYPE_CHECKING:
    from napari_channelmix.classify import ForeignClassifier
    from napari_channelmix.config import ImportancePart, LatentsPart
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["Rerun", "run_config", "run_config_job"]


@dataclass(frozen=True)
class Rerun:
    """What came of a config; parts that it does not have are None or empty.

    Attributes
    ----------
    config : Config
    cells : Cells
    classifier : Classifier, ForeignClassifier or None
    importance : ChannelImportance or None
    explained : tuple of Explained
    latents : Encoded or None
    out : path
        The folder with all files; ``report.html`` is among them.
    """

    config: Config
    cells: Cells
    classifier: Classifier | ForeignClassifier | None
    importance: ChannelImportance | None
    explained: tuple[Explained, ...]
    latents: Encoded | None
    out: Path

    @property
    def report(self) -> Path:
        """The report."""
        return self.out / "report.html"


def run_config(
    path: str | Path, out: str | Path | None = None, *, device: str = "auto",
    allow_code: bool = False,
) -> Rerun:  # fmt: skip
    """Do again what a config says.

    Parameters
    ----------
    path : path
        A config, as the dock 'Report and script' saves it.
    out : path, optional
        Folder to fill; by default one beside the config, of its name. A run that was stopped goes
        on there.
    device : {"auto", "cpu", "cuda", "mps"}
        ``auto``: those that the config names.
    allow_code : bool
        Run code of a model made elsewhere: a function, a TorchScript or torch.export file; not
        needed for ONNX.

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
    """
    folder = Path(path).with_suffix("") if out is None else Path(out)
    return drain(run_config_job(read_config(path), folder, device=device, allow_code=allow_code))


def run_config_job(
    config: Config, out: Path, *, device: str = "auto", allow_code: bool = False
) -> Job[Rerun]:
    """`run_config` as a job, from a config that was read."""
    refuse_no_folder(out)
    with in_use(out):
        return (yield from _parts_job(config, out, device, allow_code))


def _parts_job(config: Config, out: Path, device: str, allow_code: bool) -> Job[Rerun]:
    cells = yield from part(open_dataset_job(config.data.dataset), 0, 3, 100)
    refuse_changed(config, cells)
    # That it is not there is better known now than after an hour of training.
    source = None if config.latents is None else load_disentangler(config.latents.model)
    weights = {"classifier": 20, "importance": 45, "explanations": 10, "latents": 15}
    total = sum(weights[name] for name in config.parts) or 1
    done = 3.0

    def step(job: Job[Any], name: str, share: float = 1.0) -> Job[Any]:
        nonlocal done
        start, length = done, 92 * weights[name] * share / total
        done += length
        return part(job, start, length, 100, f"{name}: ")

    classifier: Any = None
    if config.classifier is not None:
        classifier = yield from step(
            _classifier_job(config, cells, out / "classifier", device, allow_code), "classifier"
        )
    importance = None
    if config.importance is not None:
        with _computing(config.importance.threads):
            importance = yield from step(
                _importance_job(config.importance, cells, out / "importance", device), "importance"
            )
        importance.save(out / "importance")
    explained = []
    for at, one in enumerate(config.explanations, start=1):
        settings = ExplainSettings(
            one.target, one.versus, one.method, one.mode, one.channels, one.forwards, one.seed,
            cells=one.cells, prior=None if config.classifier is None else config.classifier.prior,
            only="all",
        )  # fmt: skip
        maps = explain_cells_job(
            classifier, cells, out / "explanations" / str(at), settings,
            device=_device(device, config.device), batch=1 if one.cells else None,
        )  # fmt: skip
        explained.append((yield from step(maps, "explanations", 1 / len(config.explanations))))
    latents = None
    if config.latents is not None and source is not None:
        with _computing(config.latents.threads):
            job = encode_cells_job(
                source, cells, out / "latents", _latents_settings(config.latents),
                device=_device(device, config.device),
            )  # fmt: skip
            latents = yield from step(job, "latents")
    write_config(config, out / "config.json")
    sources = Sources(
        model=classifier,
        importance=out / "importance" if importance is not None else None,
        explain=tuple(out / "explanations" / str(at + 1) for at in range(len(explained))),
        latents=out / "latents" if latents is not None else None,
        prior=None if config.classifier is None else config.classifier.prior,
    )
    findings = yield from part(
        findings_job(cells, sources, config=config, source=config.data.dataset), 95, 3, 100
    )
    yield from part(report_job(findings, out / "report.html"), 98, 2, 100)
    return Rerun(config, cells, classifier, importance, tuple(explained), latents, out)


def refuse_changed(config: Config, cells: Cells) -> None:
    """Refuse cells that are not those the config was made with.

    Raises
    ------
    ConfigError
    """
    data = config.data
    if data.fingerprint is not None and cells.fingerprint != data.fingerprint:
        differ = f"{len(cells)} cells instead of {data.n}" if data.n != len(cells) else (
            "its pixels, boxes, classes, groups or split are others"
        )  # fmt: skip
        raise ConfigError(
            f"{data.dataset} has changed since the config was made ({differ}); make a new config, "
            "or take data.fingerprint out of this one to run it all the same"
        )


def _classifier_job(
    config: Config, cells: Cells, out: Path, device: str, allow_code: bool
) -> Job[Classifier | ForeignClassifier]:
    said = config.classifier
    assert said is not None
    if said.training is not None:
        with _computing(said.training.threads):
            return (yield from _trained_job(said.training, cells, out / "model.cmx", device))
    model = load_model(
        str(said.file), channels=said.channels, classes=said.classes,
        mean=0.0 if said.mean is None else said.mean, std=1.0 if said.std is None else said.std,
        output=said.output, select=said.select, allow_code=allow_code,
    )  # fmt: skip
    known = (None, model_hash(model), *earlier_hashes(model))
    if said.sha256 not in known:
        raise ConfigError(
            f"{said.file} is not the model the config was made with (its hash differs); put that "
            "one back, or take classifier.sha256 out of the config to use this one all the same"
        )
    if isinstance(model, Classifier):
        model.save(out / "model.cmx")
    return model


def _trained_job(said: TrainingPart, cells: Cells, path: Path, device: str) -> Job[Classifier]:
    """Train, unless an earlier run has done it."""
    kept = _kept(path, said, cells)
    if kept is not None:
        return kept
    place: Any = _device(device, said.device)
    settings = ClassifierSettings(
        network=said.network, seed=said.seed, device=place, mixes=said.mixes,
        constraint=said.constraint, held_out=said.held_out,
        **{name: getattr(said, name) for name in LEARNING},
    )  # fmt: skip
    classifier, _ = yield from train_into_job(cells, path, settings)
    return classifier


def _kept(path: Path, said: TrainingPart, cells: Cells) -> Classifier | None:
    """The classifier of an earlier run with the same settings and cells, or None."""
    try:
        found = load_bundle(path)
    except BundleError:
        return None
    its = training_part(found.provenance)
    if its is None or found.provenance.get("cells") != cells.fingerprint:
        return None
    same = its.model_copy(update={"device": said.device, "threads": said.threads}) == said
    return found if same else None


def _importance_job(
    said: ImportancePart, cells: Cells, out: Path, device: str
) -> Job[ChannelImportance]:
    return divided_importance_job(
        cells, seeds=said.seeds, shapley=said.shapley, decoys=said.decoys, mixes=said.mixes,
        constraint=said.constraint, network=said.network, settings=_learning(said), seed=said.seed,
        device=_device(device, said.device), held_out=said.held_out, split_seed=said.split_seed,
        one_split=said.one_split, scaled_per=said.scaled_per, parts=out / "parts",
    )  # fmt: skip


def _latents_settings(said: LatentsPart) -> LatentsSettings:
    view = None if said.view is None else View.from_dict(said.view)
    return LatentsSettings(finetune=said.finetune, limit=said.limit, seed=said.seed, view=view,
                           model=said.model)  # fmt: skip


def _learning(said: Any) -> TrainingSettings:
    return TrainingSettings(**{name: getattr(said, name) for name in LEARNING})


def _device(asked: str, said: str) -> str:
    return said if asked == "auto" else asked


@contextmanager
def _computing(threads: int) -> Iterator[None]:
    """As many threads as the config says, where it does."""
    now: Computing = computing()
    with computing_with(replace(now, threads=threads) if threads else now):
        yield
