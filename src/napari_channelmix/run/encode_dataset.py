"""The latents of a data set in a folder: results and fine-tuned weights are never mixed there."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import refuse_no_folder
from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.weights_file import seal
from napari_channelmix.drl import default_view, latents_job, load_disentangler, save_disentangler
from napari_channelmix.drl.channel_view import named_channels_job
from napari_channelmix.drl.drawing_store import DRAWING_FILE
from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
from napari_channelmix.drl.finetune import Finetuned, finetune_job
from napari_channelmix.drl.finetuned_cells import remembering
from napari_channelmix.drl.source_encoder import early_view, source_job
from napari_channelmix.drl.store import finetuned_from
from napari_channelmix.errors import BundleError, DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.locks import in_use
from napari_channelmix.provenance import package_version, provenance
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.stored_schemas import LatentsMadeFrom
from napari_channelmix.settings import OF_THE_CLUSTER, LatentsSettings, as_dict
from napari_channelmix.stored_files import read_json
from napari_channelmix.wording import brief

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.data import Cells
    from napari_channelmix.drl import Disentangler, Latents, View
    from napari_channelmix.drl.separation import Tested

__all__ = ["Encoded", "LatentsSettings", "encode_cells_job", "latents_text"]

#: The fine-tuned weights, in the folder of the result.
WEIGHTS_FILE = "finetuned.safetensors"
RESULT = "latents.json"
#: Chunks of cells that are drawn and encoded, until the result is written.
PARTS = "latents.parts"
#: Learning to draw that was stopped.
DRAWN = "drawing.partial"

_ADVICE = "choose another folder, or delete this file"
# How a message names what must not differ.
_WORDS = {
    "version": "napari-channelmix {} instead of {}",
    "model": "another model",
    "features": "--features {} instead of {}",
    "epochs": "--finetune {} instead of {}",
    "seed": "--seed {} instead of {}",
    "pictures": "other cells, or another view of them",
    "channel": "--channel {} instead of {}",
    "sum": "--sum {} instead of {}",
    "limit": "--limit {} instead of {}",
    "data": "other cells",
    "view": "another view of them",
    "pixels": "--pixels {} instead of {}",
    "drawing": "--drawing {} instead of {}",
    "drawing_steps": "--drawing-steps {} instead of {}",
}


@dataclass(frozen=True)
class Encoded:
    """A data set that is encoded.

    Attributes
    ----------
    latents : Latents
    files : tuple of path
    reused : bool
        Whether the fine-tuned weights are those of an earlier run.
    source_note : str
        Why fine-tuning that was asked for was not used, in words; empty where it was.
    """

    latents: Latents
    files: tuple[Path, ...]
    reused: bool
    source_note: str


def encode_cells_job(
    source: Disentangler | None,
    cells: Cells,
    out: Path,
    settings: LatentsSettings | None = None,
    *,
    device: str = "auto",
) -> Job[Encoded]:
    """Encode the cells of a data set, and write what is found into a folder; a job.

    Parameters
    ----------
    source : Disentangler or None
        None: that of ``settings.model`` and ``settings.features``, which is learnt where it never
        was.
    cells : Cells
    out : path
        Folder for ``latents.csv``, ``traversals.png``, ``latents.json`` and, with fine-tuning,
        ``finetuned.safetensors``, which a second run with the same cells and settings takes up;
        one that was stopped goes on from ``finetuned.partial``. Cells that are drawn and encoded
        are kept under ``latents.parts`` until the result is there, and are taken up likewise; so
        is learning to draw, in ``drawing.partial``, which gives ``drawing.safetensors``.
    settings : LatentsSettings, optional
    device : {"auto", "cpu", "cuda", "mps"}

    Raises
    ------
    DataError
        A result or fine-tuned weights in the folder that come from other cells, another model or
        other settings; as `latents_job`.
    ModelError
        A device that is not there, a folder that is a file; as `latents_job`.
    """
    options = settings or LatentsSettings()
    refuse_no_folder(out)
    choose_device(device)
    learning = 0
    if source is None:
        # What cannot be is said before an encoder is learnt, which takes minutes.
        looked_at = yield from part(named_channels_job(cells, options.looked_at), 0, 0, 100)
        early_view(options.model, cells, looked_at)
        _refuse_other_settings(out, options)
        learning = 50 if options.features else 0
        job = source_job(options.model, options.features, seed=options.seed, device=device)
        source = yield from part(job, 0, learning, 100)
    with in_use(out):
        job_of_cells = _encoded_job(source, cells, out, options, device)
        return (yield from part(job_of_cells, learning, 100 - learning, 100))


def _encoded_job(
    source: Disentangler, cells: Cells, out: Path, settings: LatentsSettings, device: str
) -> Job[Encoded]:
    keeper = _Keeper(source, out / WEIGHTS_FILE, settings)
    keeper.refuse_another(keeper.facts)
    some = cells.subset(chosen_cells(len(cells), settings.limit, settings.seed))
    looked_at = yield from part(named_channels_job(some, settings.looked_at), 0, 0, 100)
    view = default_view(source, some, looked_at)
    keeper.seen = (some, view)
    known = {
        **keeper.facts,
        "features": _features_of(source, settings),
        **_facts_of(settings),
        "view": view.as_dict(),
    }
    _refuse_another_result(out / RESULT, known, some)
    job = latents_job(
        some,
        source,
        view=view,
        # The encoder is there: what it takes features from goes with it.
        settings=replace(settings.encoding, features=None),
        device=device,
        tune=keeper.tuned_job,
        parts=out / PARTS,
        drawn=out / DRAWN,
    )
    latents = yield from part(job, 0, 95, 100)
    recorded = latents.provenance["settings"] | {
        "channel": settings.channel,
        "sum": settings.sum,
        "limit": settings.limit,
        "pixels": settings.pixels,
        "drawing": settings.drawing,
        "drawing_steps": _drawing_steps(settings),
    }
    facts = provenance(
        disentangler=settings.model or source.name,
        model=keeper.facts["model"],
        data=some.fingerprint,
        name=cells.name,
        seed=settings.seed,
        settings=recorded,
        request=as_dict(settings, ["view", *OF_THE_CLUSTER]),
    )
    latents = replace(latents, provenance=facts)
    yield Progress(95, 100, "drawing the traversals")
    latents.save(out)
    shutil.rmtree(out / PARTS, ignore_errors=True)
    (out / DRAWN).unlink(missing_ok=True)
    names = ["latents.csv", "traversals.png", RESULT]
    if latents.drawing is not None:
        names.append(DRAWING_FILE)
    if latents.disentangler is not source:
        names.append(WEIGHTS_FILE)
    source_note = keeper.source_note
    if settings.finetune and len(some) < 2:
        source_note = "fine-tuning needs two cells or more; the source weights are kept"
    return Encoded(latents, tuple(out / name for name in names), keeper.reused, source_note)


def _refuse_other_settings(out: Path, settings: LatentsSettings) -> None:
    """Refuse a folder whose result, or fine-tuned weights, were made with other settings.

    Raises
    ------
    DataError
        As `_refuse_another_result`; what depends on the encoder is left to that.
    """
    version = package_version("napari-channelmix")
    tuning = {"version": version, "epochs": settings.finetune, "seed": settings.seed}
    _refuse_another_result(out / RESULT, {**tuning, **_facts_of(settings)})
    weights = out / WEIGHTS_FILE
    if weights.exists():
        theirs = finetuned_from(weights)
        if theirs is not None:
            _refuse_other_facts(weights, theirs, tuning)


def _facts_of(settings: LatentsSettings) -> dict[str, Any]:
    """What a result in a folder must have in common with a run that continues it."""
    return {
        "channel": settings.channel,
        "sum": settings.sum,
        "limit": settings.limit,
        "pixels": settings.pixels,
        "drawing": settings.drawing,
        "drawing_steps": _drawing_steps(settings),
    }


def _features_of(source: Disentangler, settings: LatentsSettings) -> str | None:
    if not isinstance(source, FeatureDisentangler):
        return settings.features
    return source.features.source or source.features.name


def _drawing_steps(settings: LatentsSettings) -> int | None:
    """None where nothing is learnt to be drawn."""
    return settings.drawing_steps if settings.drawing == "residual" else None


def _refuse_another_result(path: Path, known: dict[str, Any], cells: Cells | None = None) -> None:
    """Refuse to write over a result that was made of other facts; the same one may be made anew.

    Raises
    ------
    DataError
        Another result, or a file that is not of this command.
    """
    if not path.exists():
        return
    try:
        about = read_json(path, LatentsMadeFrom).provenance
    except DataError as error:
        raise DataError(f"{path} was not made by this command; {_ADVICE}") from error
    settings = about["settings"]
    theirs = {
        "version": about["versions"].get("napari-channelmix"),
        "model": about["model"],
        "epochs": settings["finetune"],
        "seed": about["seed"],
        "data": about["data"],
        **{name: settings.get(name) for name in ("features", "channel", "sum", "limit", "view")},
        "pixels": settings.get("pixels", False),
        "drawing": settings.get("drawing", "named"),
        "drawing_steps": settings.get("drawing_steps"),
    }
    if cells is not None:
        known = {**known, "data": cells.fingerprint}
    other = {
        name: _WORDS[name].format(brief(theirs[name]), brief(known[name]))
        for name in known
        if theirs[name] != known[name]
    }
    if "limit" in other:
        # Of how many they are says already that they are others.
        other.pop("data", None)
    if other.keys() & {"channel", "sum"}:
        other.pop("view", None)
    if other:
        raise DataError(f"{path} was made with {', '.join(other.values())}; {_ADVICE}")


def _refuse_other_facts(path: Path, theirs: dict[str, Any], facts: dict[str, Any]) -> None:
    """Refuse weights that were made of other facts than these.

    Raises
    ------
    DataError
    """
    other = [
        _WORDS[name].format(brief(theirs.get(name)), brief(facts[name]))
        for name in facts
        if theirs.get(name) != facts[name]
    ]
    if other:
        raise DataError(f"{path} was made with {', '.join(other)}; {_ADVICE}")


@dataclass
class _Keeper:
    """Fine-tunes once, and from then on reads what was kept."""

    source: Disentangler
    path: Path
    settings: LatentsSettings
    reused: bool = False
    source_note: str = ""
    # The cells and how they are looked at.
    seen: tuple[Cells, View] | None = None
    facts: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.facts = {
            "version": package_version("napari-channelmix"),
            "model": seal(self.source.name, self.source.network.state_dict(), ""),
            "epochs": self.settings.finetune,
            "seed": self.settings.seed,
        }

    def refuse_another(self, facts: dict[str, Any]) -> Disentangler | None:
        """What is kept, where it was made of these facts; None where nothing is kept.

        Raises
        ------
        DataError
            Weights made of others, or not by this command.
        BundleError
            Weights that cannot be read.
        """
        if not self.path.exists():
            return None
        try:
            of = self.source
            features = of.features if isinstance(of, FeatureDisentangler) else None
            stored = load_disentangler(self.path, features)
        except BundleError as error:
            raise BundleError(f"{error}; {_ADVICE}") from error
        theirs = stored.about.get("finetuned", {}).get("made_from")
        if not isinstance(theirs, dict):
            raise DataError(f"{self.path} was not made by this command; {_ADVICE}")
        _refuse_other_facts(self.path, theirs, facts)
        return stored

    def tuned_job(
        self,
        source: Disentangler,
        pictures: npt.NDArray[np.uint8],
        *,
        epochs: int,
        seed: int,
        device: str,
    ) -> Job[Finetuned[Disentangler]]:
        """`finetune_job`, unless its result is kept already."""
        digest = hashlib.sha256(f"{pictures.shape}".encode())
        digest.update(pictures.tobytes())
        facts = self.facts | {"pictures": digest.hexdigest()}
        stored = self.refuse_another(facts)
        if stored is not None:
            self.reused = True
            yield Progress(1, 1, "fine-tuned before")
            before, after = stored.about["finetuned"]["error"]
            return Finetuned(stored, "", (before, after))
        partial = self.path.with_suffix(".partial")
        finetuned = yield from finetune_job(
            source, pictures, epochs=epochs, seed=seed, device=device, checkpoint=partial
        )
        self.source_note = finetuned.source_note
        if finetuned.source_note:
            partial.unlink(missing_ok=True)
            return finetuned
        tuned = (
            remembering(finetuned.disentangler, *self.seen) if self.seen else finetuned.disentangler
        )
        about = dict(tuned.about)
        about["finetuned"] = {**about["finetuned"], "made_from": facts}
        save_disentangler(replace(tuned, about=about), self.path)
        partial.unlink(missing_ok=True)
        # Rounded to half precision, as a second run will find it.
        features = source.features if isinstance(source, FeatureDisentangler) else None
        return replace(finetuned, disentangler=load_disentangler(self.path, features))


def latents_text(latents: Latents) -> str:
    """How far each name can be trusted, what separates the classes, and what to beware of."""
    tuned = latents.disentangler.about.get("finetuned")
    how = f"fine-tuned for {tuned['epochs']} epochs" if tuned else "as trained on sprites"
    seen = f"{len(latents.values)} cells ({latents.prepared.how.view.text})"
    lines = [f"{seen} encoded with {latents.disentangler.title}, {how}"]
    if latents.reconstruction is not None:
        lines.append(latents.reconstruction.text)
    if latents.drawing is not None:
        lines += latents.drawing.lines
    named = [entry for entry in latents.trust if entry.badge != "spare"]
    longest = max(len(entry.name) for entry in named)
    lines.append(f"{'latent':<{longest}}  badge")
    lines += [f"{entry.name:<{longest}}  {entry.badge:<12}  {entry.words}" for entry in named]
    unnamed = len(latents.trust) - len(named)
    if unnamed:
        lines.append(f"{unnamed} more latents have no name and stand for no factor (Spare)")
    parted = latents.separation
    if parted is not None:
        chance = 1 / len(parted.classes)
        lines.append(
            f"balanced accuracy on held-out cells (95 % interval); chance {chance:.3f}; "
            f"{parted.groups} groups, {parted.cells} cells"
        )
        kinds = list(next(iter(parted.tested.values())))
        wide = max(12, *(len(name) for name in parted.tested))
        lines.append("  ".join([f"{'':<{wide}}", *(f"{kind:<21}" for kind in kinds)]).rstrip())
        for name, tested in parted.tested.items():
            texts = (
                f"{entry.accuracy:.3f} ({entry.low:.3f}–{entry.high:.3f})"
                for entry in tested.values()
            )
            lines.append(
                "  ".join([f"{name:<{wide}}", *(f"{entry:<21}" for entry in texts)]).rstrip()
            )
        drops = sorted(parted.importance.items(), key=lambda pair: -pair[1][0])
        drops_text = ", ".join(f"{axis} {mean:.3f}" for axis, (mean, _) in drops)
        lines.append(f"accuracy lost when an axis is shuffled: {drops_text}")
        for name, entry in parted.ahead.items():
            lines.append(
                f"latents are ahead of {name} by {entry.accuracy:+.3f} (95 % interval "
                f"{entry.low:+.3f} to {entry.high:+.3f}){_unsure(entry)}"
            )
    lines += [f"note: {line}" for line in latents.warnings]
    return "\n".join(lines)


def _unsure(difference: Tested) -> str:
    return ": the sign is not known" if difference.low <= 0 <= difference.high else ""
