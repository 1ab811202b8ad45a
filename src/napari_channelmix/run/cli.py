"""The command line ``napari-channelmix``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from napari_channelmix.bounds import argument
from napari_channelmix.errors import ChannelMixError, ModelError
from napari_channelmix.provenance import package_version
from napari_channelmix.run.interrupts import terminated_as_interrupted
from napari_channelmix.run.options import add_options, settings_from
from napari_channelmix.settings import (
    ClassifierSettings,
    EvaluationSettings,
    ExplainSettings,
    ImportanceSettings,
    LatentsSettings,
)
from napari_channelmix.wording import path_shown

__all__ = ["main"]

STOPPED = 130
# Options that every command has.
COMMON = ("device", "seed")
# Characters of a message of argparse, which may quote what it was given.
LINE = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; give its exit status: 0 done, 2 bad input, 130 stopped by Ctrl-C (SIGTERM)."""
    try:
        asked = _parser().parse_args(arguments)
    except SystemExit as end:
        # It has said what is wrong, or what was asked for.
        return int(end.code or 0)
    if hasattr(sys.stdout, "reconfigure"):
        # A path whose bytes are no text is still printed.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with terminated_as_interrupted():
            asked.run(asked)
    except ChannelMixError as error:
        print(f"napari-channelmix: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        # Of the system, where nothing of ours was in between: a full disk, a name too long.
        where = "" if error.filename is None else f"{path_shown(error.filename)}: "
        print(f"napari-channelmix: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = "; the same command goes on from what was finished" if hasattr(asked, "out") else ""
        print(f"napari-channelmix: stopped{kept}", file=sys.stderr)
        return STOPPED
    return 0


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        line = line if len(line) <= LINE else f"{line[:LINE]}..."
        self.exit(2, f"{self.prog}: {line} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="napari-channelmix",
        description="Which channels, which pixels, what kind of cell: ask a classifier of cells.",
    )
    version = package_version("napari-channelmix") or "unknown"
    parser.add_argument("--version", action="version", version=f"napari-channelmix {version}")
    common = _OneLineParser(add_help=False)
    common.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to compute (default: auto)",
    )
    common.add_argument(
        "--seed", type=argument("seed"), default=0, help="seed of everything random"
    )
    common.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text, parents=[common])
        one.set_defaults(run=run)
        return one

    demo = command("demo", _demo, "the main job on the embedded sample")
    demo.add_argument("--out", type=Path, default=Path("channelmix-demo"), help="folder to fill")
    demo.add_argument("--no-window", action="store_true", help="do not open the viewer at the end")
    demo.set_defaults(epochs=15)

    view = command("view", _view, "the viewer with the workspace, data loaded")
    view.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")

    train = command("train", _train, "train a classifier and save it as a bundle")
    train.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    train.add_argument("--out", type=Path, required=True, help="bundle to write (M.cmx)")
    train.add_argument("--mix", action="store_true", help="with a mixing layer in front (DCMIX)")
    add_options(train, ClassifierSettings, leave_out=COMMON)

    importance = command("importance", _importance, "which channels does a classifier need?")
    importance.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    importance.add_argument("--out", type=Path, required=True, help="folder for the result")
    add_options(importance, ImportanceSettings, leave_out=COMMON)

    predict = command("predict", _predict, "which class is each cell, and how many in each group?")
    predict.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(predict)
    _add_prior(predict)
    predict.add_argument("--out", type=Path, required=True, help="folder for the tables")

    explain = command("explain", _explain, "which pixels made the classifier say so?")
    explain.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(explain)
    _add_prior(explain)
    explain.add_argument("--out", type=Path, required=True, help="folder for the maps")
    add_options(explain, ExplainSettings, leave_out=COMMON)
    explain.add_argument(
        "--batch", type=argument("batch"), help="cells at once (default: what fits well)"
    )

    evaluation = command("evaluate", _evaluate, "how well does a classifier do on these cells?")
    evaluation.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(evaluation)
    _add_prior(evaluation)
    add_options(evaluation, EvaluationSettings, leave_out=COMMON)
    evaluation.add_argument("--json", action="store_true", help="print the result as JSON")
    evaluation.add_argument(
        "--out", type=Path, metavar="FILE", help="file for the result (evaluation.json)"
    )

    latents = command("latents", _latents, "what is each cell like, along axes with names?")
    latents.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    latents.add_argument("--out", type=Path, required=True, help="folder for the result")
    add_options(latents, LatentsSettings, leave_out=COMMON)

    report = command("report", _report, "one page of HTML from what the other commands wrote")
    report.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    report.add_argument("--out", type=Path, required=True, help="page to write (report.html)")
    report.add_argument("--model", help="bundle (M.cmx), or a model made elsewhere, see below")
    _add_prior(report)
    report.add_argument("--importance", type=Path, metavar="DIR", help="folder of 'importance'")
    report.add_argument(
        "--explain",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="folder of 'explain'; may be given several times",
    )
    report.add_argument("--latents", type=Path, metavar="DIR", help="folder of 'latents'")
    _add_foreign(report)

    run = command("run", _run, "do again what a config says, with a report of all of it")
    run.add_argument("config", type=Path, help="config, as the page 'Report and script' saves it")
    run.add_argument("--out", type=Path, required=True, help="folder for the results")
    run.add_argument(
        "--allow-code",
        action="store_true",
        help="run code of a model's maker (not needed for ONNX)",
    )

    doctor = command("doctor", _doctor, "versions, Qt, GL, devices and why a device is missing")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _add_model(command: argparse.ArgumentParser) -> None:
    """The model that a command asks."""
    command.add_argument(
        "--model", required=True, help="bundle (M.cmx), or a model made elsewhere, see below"
    )
    _add_foreign(command)


def _add_prior(command: argparse.ArgumentParser) -> None:
    """How frequent the classes are before a cell is seen."""
    command.add_argument(
        "--prior",
        nargs="+",
        metavar="PRIOR",
        help="shares of the classes that probabilities take for granted: training (default), "
        "balanced, estimated (from these cells), or CLASS=SHARE for each class",
    )


def _add_foreign(command: argparse.ArgumentParser) -> None:
    """What a model that is no bundle does not say itself."""
    foreign = command.add_argument_group(
        "for models that are no bundle: ONNX, TorchScript or torch.export files, and functions "
        "as module:name or file.py:name"
    )
    foreign.add_argument("--channel-names", nargs="+", metavar="NAME", help="in its order")
    foreign.add_argument("--class-names", nargs="+", metavar="NAME", help="in its order")
    foreign.add_argument("--mean", nargs="+", type=float, default=[0.0], help="of its channels")
    foreign.add_argument("--std", nargs="+", type=float, default=[1.0], help="of its channels")
    foreign.add_argument(
        "--output",
        default="auto",
        choices=(
            "auto",
            "logits",
            "probabilities",
            "sigmoid",
            "sigmoid_logits",
            "one_logit",
            "one_probability",
            "scores",
        ),
        help="what it gives (default: auto, found out from the first cells; scores is the old "
        "word for logits)",
    )
    foreign.add_argument(
        "--select",
        metavar="OUTPUT",
        help="name or position of the output to use, where it has several",
    )
    foreign.add_argument(
        "--allow-code",
        action="store_true",
        help="run code of the model's maker (not needed for ONNX)",
    )


# Rooms that import torch or Qt are imported where they are used, so that --help is quick.


def _demo(asked: argparse.Namespace) -> None:
    from napari_channelmix.atomic_write import refuse_no_folder
    from napari_channelmix.data.samples import synthetic_plate
    from napari_channelmix.locks import in_use
    from napari_channelmix.run.doctor import window_trouble

    sample = synthetic_plate(asked.seed)
    refuse_no_folder(asked.out)
    with in_use(asked.out):
        asked.dataset = sample.save(asked.out / "plate")
    _say(asked, f"The embedded sample is now in {asked.dataset.parent}. {sample.story}")
    _importance(asked)
    if asked.no_window:
        return
    trouble = window_trouble()
    if trouble:
        _say(asked, f"No window is opened: {trouble}")
        return
    _say(asked, "Opening the viewer; close its window to finish.")
    _view(asked)


def _view(asked: argparse.Namespace) -> None:
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.run.doctor import window_trouble
    from napari_channelmix.run.progress import run_job

    trouble = window_trouble()
    if trouble:
        raise ChannelMixError(f"no window can be opened: {trouble}")
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    from napari_channelmix.viewer.frame.open_page import launch

    launch(cells, str(asked.dataset.resolve()))


def _train(asked: argparse.Namespace) -> None:
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import accuracy_text
    from napari_channelmix.run.train_to_file import train_into_job

    mixes = max(asked.mixes, int(asked.mix))
    settings = settings_from(asked, ClassifierSettings, mixes=mixes)
    if asked.out.suffix != ".cmx" or asked.out.is_dir():
        raise ModelError(f"--out {asked.out}: name a file that ends in .cmx")
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    job = train_into_job(cells, asked.out, settings)
    classifier, beside = run_job(job, title="training", quiet=asked.quiet)
    if classifier.accuracy is not None:
        _say(asked, accuracy_text(classifier.accuracy))
    _say(asked, f"saved {asked.out} and {beside}")


def _importance(asked: argparse.Namespace) -> None:
    from napari_channelmix.atomic_write import refuse_no_folder
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job
    from napari_channelmix.locks import in_use
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import importance_text

    settings = settings_from(asked, ImportanceSettings)
    refuse_no_folder(asked.out)
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    job = divided_importance_job(cells, settings=settings, parts=asked.out / "parts")
    with in_use(asked.out):
        importance = run_job(job, title="importance", quiet=asked.quiet)
        saved = importance.save(asked.out)
    _say(asked, importance_text(importance))
    _say(asked, f"saved {', '.join(path.name for path in saved)} in {asked.out}")


def _prior(asked: argparse.Namespace) -> str | dict[str, float] | None:
    from napari_channelmix.classify.priors import prior_argument

    return prior_argument(asked.prior)


def _predict(asked: argparse.Namespace) -> None:
    from napari_channelmix.classify.device import choose_device
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.run.predict_dataset import predict_cells_job, predicted_text
    from napari_channelmix.run.progress import run_job

    prior, model = _prior(asked), _model(asked)
    if hasattr(model, "to"):
        model = model.to(choose_device(asked.device))
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    job = predict_cells_job(model, cells, asked.out, prior)
    found = run_job(job, title="predict", quiet=asked.quiet)
    _say(asked, predicted_text(found))
    if asked.quiet:
        # A difference that makes the numbers wrong is worth a line all the same.
        for line in found.content["data_shift"].get("warnings", ()):
            print(f"napari-channelmix: {line}", file=sys.stderr)
    _say(asked, f"saved {', '.join(path.name for path in found.files)} in {asked.out}")


def _explain(asked: argparse.Namespace) -> None:
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.run.explain_dataset import explain_cells_job
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import explanation_text

    model = _model(asked)
    settings = settings_from(asked, ExplainSettings, prior=_prior(asked))
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    job = explain_cells_job(
        model, cells, asked.out, settings, device=asked.device, batch=asked.batch
    )
    found = run_job(job, title="explain", quiet=asked.quiet)
    _say(asked, explanation_text(found.content))
    if asked.quiet:
        # What makes maps wrong, and scores that were asked for and are missing, are worth a line
        # all the same.
        shift = found.content.get("data_shift") or {}
        for line in (*shift.get("warnings", ()), *found.content.get("left_out", {}).values()):
            print(f"napari-channelmix: {line}", file=sys.stderr)
    names = ", ".join(path.name for path in found.files)
    done = "saved" if found.worked else "nothing was left to do:"
    _say(asked, f"{done} {names} in {asked.out}")


def _model(asked: argparse.Namespace) -> Any:
    """The classifier that was named, with what it does not say itself."""
    from napari_channelmix.classify import load_model

    return load_model(
        asked.model,
        channels=asked.channel_names,
        classes=asked.class_names,
        mean=asked.mean,
        std=asked.std,
        output=asked.output,
        select=asked.select,
        allow_code=asked.allow_code,
    )


def _evaluate(asked: argparse.Namespace) -> None:
    from napari_channelmix.atomic_write import write_json
    from napari_channelmix.classify import evaluate_job
    from napari_channelmix.classify.device import choose_device
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import evaluation_text

    if asked.out is not None and asked.out.is_dir():
        raise ModelError(f"--out {asked.out}: is a folder; name a file, such as evaluation.json")
    settings, model = settings_from(asked, EvaluationSettings, prior=_prior(asked)), _model(asked)
    if hasattr(model, "to"):
        model = model.to(choose_device(asked.device))
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    job = evaluate_job(model, cells, settings=settings)
    found = run_job(job, title="evaluate", quiet=asked.quiet)
    if asked.json:
        print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    else:
        _say(asked, evaluation_text(found))
    if asked.quiet and not asked.json:
        # A difference that makes the numbers wrong is worth a line all the same.
        for line in found.shift.warnings:
            print(f"napari-channelmix: {line}", file=sys.stderr)
    if asked.out is not None:
        write_json(asked.out, found.as_dict())
        if not asked.json:
            _say(asked, f"saved {asked.out}")


def _latents(asked: argparse.Namespace) -> None:
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.drl import load_disentangler
    from napari_channelmix.run.encode_dataset import encode_cells_job, latents_text
    from napari_channelmix.run.progress import run_job

    source = load_disentangler(asked.model)
    settings = settings_from(asked, LatentsSettings)
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    job = encode_cells_job(source, cells, asked.out, settings, device=asked.device)
    found = run_job(job, title="latents", quiet=asked.quiet)
    _say(asked, latents_text(found.latents))
    if asked.quiet and found.kept_source:
        # Fine-tuning that was asked for and is missing is worth a line all the same.
        print(f"napari-channelmix: {found.kept_source}", file=sys.stderr)
    if found.reused:
        _say(asked, f"fine-tuned weights were taken from {asked.out / 'finetuned.safetensors'}")
    _say(asked, f"saved {', '.join(path.name for path in found.files)} in {asked.out}")


def _report(asked: argparse.Namespace) -> None:
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.locks import in_use
    from napari_channelmix.report import report_job
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.report import Sources, findings_job

    if asked.out.is_dir():
        raise ModelError(f"--out {asked.out}: is a folder; name a file, such as report.html")
    prior = _prior(asked)
    model = None if asked.model is None else _model(asked)
    # A bundle by its path: a config then names it.
    named = Path(asked.model) if hasattr(model, "network") else model
    sources = Sources(
        named,
        asked.importance,
        tuple(asked.explain),
        asked.latents,
        name="" if asked.model is None else Path(asked.model).name,
        prior=prior,
    )
    cells = run_job(open_dataset_job(asked.dataset), title="opening", quiet=asked.quiet)
    job = findings_job(cells, sources, source=str(asked.dataset.resolve()))
    found = run_job(job, title="report", quiet=asked.quiet)
    with in_use(asked.out, is_file=True):
        path = run_job(report_job(found, asked.out), title="report", quiet=asked.quiet)
    for line in found.notes:
        _say(asked, f"note: {line}")
    _say(asked, f"saved {path}")


def _run(asked: argparse.Namespace) -> None:
    from napari_channelmix.config import read_config

    # Read first: a config that is wrong need not wait for PyTorch.
    config = read_config(asked.config)
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.rerun import run_config_job
    from napari_channelmix.run.text import rerun_text

    # --seed is every command's; here the config has seeds of its own.
    job = run_config_job(config, asked.out, device=asked.device, allow_code=asked.allow_code)
    found = run_job(job, title="run", quiet=asked.quiet)
    _say(asked, rerun_text(found))
    _say(asked, f"saved everything in {asked.out}; read {found.report}")


def _doctor(asked: argparse.Namespace) -> None:
    from napari_channelmix.run.doctor import examine, report

    found = examine()
    print(json.dumps(found, indent=2, ensure_ascii=False) if asked.json else report(found))


def _say(asked: argparse.Namespace, text: str) -> None:
    if not asked.quiet:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
