"""What each command of ``napari-channelmix`` does with its arguments.

Rooms that import torch or Qt are imported where they are used, so that --help is quick.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import ChannelMixError, ModelError
from napari_channelmix.run.arguments import model_on_device, named_model, named_prior, say
from napari_channelmix.run.options import settings_from
from napari_channelmix.settings import (
    ClassifierSettings,
    EvaluationSettings,
    ExplainSettings,
    ExportSettings,
    ImportanceSettings,
    LatentsSettings,
    PredictSettings,
    ScanSettings,
)
from napari_channelmix.settings.workload import (
    explain_workload,
    importance_workload,
    latents_workload,
    training_workload,
)
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import argparse

__all__ = [
    "demo",
    "doctor",
    "evaluate",
    "explain",
    "export",
    "importance",
    "latents",
    "predict",
    "report",
    "run",
    "scan",
    "train",
    "view",
]


def demo(args: argparse.Namespace) -> None:
    """Write the embedded sample, measure it, and open it in the viewer."""
    from napari_channelmix.atomic_write import refuse_no_folder
    from napari_channelmix.data.samples import synthetic_plate
    from napari_channelmix.locks import in_use
    from napari_channelmix.run.doctor import window_trouble

    sample = synthetic_plate(args.seed)
    refuse_no_folder(args.out)
    with in_use(args.out):
        args.dataset = sample.save(args.out / "plate")
    say(args, f"The embedded sample is now in {args.dataset.parent}. {sample.story}")
    importance(args)
    if args.no_window:
        return
    trouble = window_trouble()
    if trouble:
        say(args, f"No window is opened: {trouble}")
        return
    say(args, "Opening the viewer; close its window to finish.")
    view(args)


def view(args: argparse.Namespace) -> None:
    """Open a data set in the viewer."""
    from napari_channelmix.run.doctor import window_trouble
    from napari_channelmix.run.open_cells import open_cells

    trouble = window_trouble()
    if trouble:
        raise ChannelMixError(f"no window can be opened: {trouble}")
    cells = open_cells(args)
    from napari_channelmix.viewer.page_parts.open_page import launch

    launch(cells, str(args.dataset.resolve()))


def scan(args: argparse.Namespace) -> None:
    """Understand a folder, a plate or a table of images; write a data-set file."""
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.scan_text import scan_content, scan_text
    from napari_channelmix.scan import scan_folder_job
    from napari_channelmix.scan.open import IMAGES
    from napari_channelmix.scan.tables import EVERY_OUTLINE, scan_table_job

    given = {
        name: _pairs(getattr(args, name), option)
        for name, option in (
            ("channels", "--channel"),
            ("choices", "--choose"),
            ("roles", "--role"),
        )
    }
    settings = settings_from(args, ScanSettings, **given)
    source = args.source
    suffix = source.suffix.lower()
    if suffix == ".toml":
        raise ChannelMixError(
            f"{source}: is a data-set file already; open it with: napari-channelmix view {source}"
        )
    if source.is_file() and suffix in IMAGES:
        job = scan_folder_job(source.parent, files=[source.name], settings=settings)
    elif source.is_file() or source.name == EVERY_OUTLINE:
        job = scan_table_job(source, settings)
    else:
        job = scan_folder_job(source, settings=settings)
    result = run_job(job, title="scan", quiet=args.quiet)
    if not args.json:
        say(args, scan_text(result, verbose=args.verbose))
    saved = None if args.out is None else result.save(args.out)
    if args.json:
        print(json.dumps(scan_content(result, saved), indent=2, ensure_ascii=False))
    elif saved is not None:
        say(args, f"\nsaved {saved} and {saved.with_suffix('.csv').name}; go on with")
        say(args, f"  napari-channelmix view {shlex.quote(str(saved))}")
        if "label" in result.description():
            say(args, f"  napari-channelmix train {shlex.quote(str(saved))} --out model.cmx")


def _pairs(texts: list[str], option: str) -> dict[str, str] | None:
    """Pairs ``NAME=VALUE`` of an option that may be given several times."""
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise ChannelMixError(f"{option} {text}: give NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs or None


def train(args: argparse.Namespace) -> None:
    """Train a classifier into a bundle."""
    from napari_channelmix.run.open_cells import open_cells, say_channel_notes
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import accuracy_text
    from napari_channelmix.run.train_to_file import train_into_job

    mixes = max(args.mixes, int(args.mix))
    settings = settings_from(args, ClassifierSettings, mixes=mixes)
    if args.out.suffix != ".cmx" or args.out.is_dir():
        raise ModelError(f"--out {args.out}: name a file that ends in .cmx")
    cells = open_cells(args)
    say_channel_notes(args, cells)
    job = train_into_job(cells, args.out, settings)
    work = training_workload(cells, settings, mixes)
    classifier, beside = run_job(job, title="training", quiet=args.quiet, work=work)
    if classifier.accuracy is not None:
        say(args, accuracy_text(classifier.accuracy))
    for line in classifier.record.get("warnings", ()):
        say(args, f"note: {line}")
    say(args, f"saved {args.out} and {beside}")


def importance(args: argparse.Namespace) -> None:
    """Measure channel importance."""
    from napari_channelmix.atomic_write import refuse_no_folder
    from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job
    from napari_channelmix.locks import in_use
    from napari_channelmix.run.open_cells import open_cells, say_channel_notes
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import importance_text, saved_text

    settings = settings_from(args, ImportanceSettings)
    refuse_no_folder(args.out)
    cells = open_cells(args)
    say_channel_notes(args, cells)
    job = divided_importance_job(cells, settings=settings, parts=args.out / "parts")
    with in_use(args.out):
        work = importance_workload(cells, settings)
        result = run_job(job, title="importance", quiet=args.quiet, work=work)
        saved = result.save(args.out)
    say(args, importance_text(result))
    say(args, saved_text(saved, args.out))


def predict(args: argparse.Namespace) -> None:
    """Predict the class of each cell, into tables."""
    from napari_channelmix.report.predict_dataset import predict_cells_job, predicted_text
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import saved_text

    prior, model = named_prior(args), model_on_device(args)
    cells = open_cells(args)
    settings = settings_from(args, PredictSettings, prior=prior)
    job = predict_cells_job(model, cells, args.out, settings=settings, device=args.device)
    result = run_job(job, title="predict", quiet=args.quiet)
    say(args, predicted_text(result))
    if args.quiet:
        # A difference that makes the numbers wrong is worth a line all the same.
        for line in result.content["data_shift"].get("warnings", ()):
            print(f"napari-channelmix: {line}", file=sys.stderr)
    say(args, saved_text(result.files, result.files[0].parent))


def export(args: argparse.Namespace) -> None:
    """Write cells with their results into files of other programs."""
    from napari_channelmix.classify.device import choose_device
    from napari_channelmix.run.export_dataset import export_cells_job
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import saved_text

    settings = settings_from(args, ExportSettings)
    prior = named_prior(args)
    model: Any = None if args.model is None else named_model(args)
    if hasattr(model, "to"):
        model = model.to(choose_device(args.device))
    cells = open_cells(args)
    job = export_cells_job(
        cells,
        args.out,
        model=model,
        predictions=args.predictions,
        latents=args.latents,
        importance=args.importance,
        prior=prior,
        settings=settings,
    )
    files = run_job(job, title="export", quiet=args.quiet)
    say(args, saved_text(files, files[0].parent if files else args.out))


def explain(args: argparse.Namespace) -> None:
    """Explain cells, into maps."""
    from napari_channelmix.run.explain_dataset import explain_cells_job
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import explanation_text

    model = named_model(args)
    settings = settings_from(args, ExplainSettings, prior=named_prior(args))
    cells = open_cells(args)
    job = explain_cells_job(model, cells, args.out, settings, device=args.device, batch=args.batch)
    count = min(len(cells), settings.limit or len(cells))
    method = f"{settings.method}, {settings.mode}" + ", measured" * settings.score
    method += ", tested" * settings.reliability
    work = explain_workload(model, count, cells.crop, method, args.device)
    result = run_job(job, title="explain", quiet=args.quiet, work=work)
    say(args, explanation_text(result.content))
    if args.quiet:
        # What makes maps wrong, and scores that were asked for and are missing, are worth a line
        # all the same.
        shift = result.content.get("data_shift") or {}
        for line in (*shift.get("warnings", ()), *result.content.get("left_out", {}).values()):
            print(f"napari-channelmix: {line}", file=sys.stderr)
    if result.again:
        say(args, f"{counted(result.again, 'chunk')} done again, since a worker was lost")
    names = ", ".join(path.name for path in result.files)
    done = "saved" if result.worked else "nothing left to do:"
    say(args, f"{done} {names} in {args.out}")


def evaluate(args: argparse.Namespace) -> None:
    """Measure a classifier on labelled cells."""
    from napari_channelmix.atomic_write import write_json
    from napari_channelmix.classify import evaluate_job
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import evaluation_text

    if args.out is not None and args.out.is_dir():
        raise ModelError(f"--out {args.out}: is a folder; name a file, such as evaluation.json")
    settings = settings_from(args, EvaluationSettings, prior=named_prior(args))
    model = model_on_device(args)
    cells = open_cells(args)
    job = evaluate_job(model, cells, settings=settings)
    result = run_job(job, title="evaluate", quiet=args.quiet)
    if args.json:
        print(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
    else:
        say(args, evaluation_text(result))
    if args.quiet and not args.json:
        # A difference that makes the numbers wrong is worth a line all the same.
        for line in result.shift.warnings:
            print(f"napari-channelmix: {line}", file=sys.stderr)
    if args.out is not None:
        write_json(args.out, result.as_dict())
        if not args.json:
            say(args, f"saved {args.out}")


def latents(args: argparse.Namespace) -> None:
    """Encode cells."""
    from napari_channelmix.drl import load_disentangler
    from napari_channelmix.run.encode_dataset import encode_cells_job, latents_text
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import saved_text

    settings = settings_from(args, LatentsSettings)
    # That of features may have to be learnt first, which is a part of the job.
    source = None if settings.features else load_disentangler(settings.model)
    cells = open_cells(args)
    job = encode_cells_job(source, cells, args.out, settings, device=args.device)
    some = cells.subset(slice(settings.limit))
    work = latents_workload(
        some,
        settings.model,
        settings.finetune,
        args.device,
        settings.pixels,
        settings.features,
        settings.drawing_steps if settings.drawing == "residual" else 0,
    )
    result = run_job(job, title="latents", quiet=args.quiet, work=work)
    say(args, latents_text(result.latents))
    if args.quiet and result.source_note:
        # Fine-tuning that was asked for and is missing is worth a line all the same.
        print(f"napari-channelmix: {result.source_note}", file=sys.stderr)
    if result.reused:
        say(args, f"fine-tuned weights were taken from {args.out / 'finetuned.safetensors'}")
    say(args, saved_text(result.files, args.out))


def report(args: argparse.Namespace) -> None:
    """Write a report from folders of results."""
    from napari_channelmix.locks import in_use
    from napari_channelmix.report import report_job
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.report import Sources, findings_job

    if args.out.is_dir():
        raise ModelError(f"--out {args.out}: is a folder; name a file, such as report.html")
    prior = named_prior(args)
    model = None if args.model is None else named_model(args)
    # A bundle by its path: a config then names it.
    named = Path(args.model) if hasattr(model, "network") else model
    sources = Sources(
        named,
        args.importance,
        tuple(args.explain),
        args.latents,
        args.whatif,
        args.audit,
        name="" if args.model is None else Path(args.model).name,
        prior=prior,
    )
    cells = open_cells(args)
    job = findings_job(cells, sources, source=str(args.dataset.resolve()))
    result = run_job(job, title="report", quiet=args.quiet)
    with in_use(args.out, is_file=True):
        path = run_job(report_job(result, args.out), title="report", quiet=args.quiet)
    for line in result.notes:
        say(args, f"note: {line}")
    say(args, f"saved {path}")


def run(args: argparse.Namespace) -> None:
    """Do again what a config says."""
    from napari_channelmix.config import read_config

    # Read first: a config that is wrong need not wait for PyTorch.
    config = read_config(args.config)
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.rerun import run_config_job
    from napari_channelmix.run.text import rerun_text

    # --seed is every command's; here the config has seeds of its own.
    job = run_config_job(config, args.out, device=args.device, allow_code=args.allow_code)
    result = run_job(job, title="run", quiet=args.quiet)
    say(args, rerun_text(result))
    say(args, f"saved everything in {args.out}; read {result.report}")


def doctor(args: argparse.Namespace) -> None:
    """Print versions and devices."""
    from napari_channelmix.run.doctor import examine
    from napari_channelmix.run.doctor import report as report_of

    findings = examine()
    print(json.dumps(findings, indent=2, ensure_ascii=False) if args.json else report_of(findings))
