"""Commands and options of ``napari-channelmix``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn, get_args

from napari_channelmix.bounds import Bounds, argument, argument_within
from napari_channelmix.provenance import package_version
from napari_channelmix.run import commands, what_if_commands
from napari_channelmix.run.open_cells import add_channel_options, add_store_options
from napari_channelmix.run.options import add_options
from napari_channelmix.settings import (
    ClassifierSettings,
    Device,
    EvaluationSettings,
    ExplainSettings,
    ExportSettings,
    ImportanceSettings,
    LatentsSettings,
    PredictSettings,
    ScanSettings,
    SegmentationSettings,
    WhatIfSettings,
    fields_of,
)
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.settings.model_output import OUTPUTS

__all__ = ["parser"]

# Options that every command has.
COMMON = ("device", "seed")
# Characters of a message of argparse, which may quote what it was given.
LINE = 300


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        line = line if len(line) <= LINE else f"{line[:LINE]}..."
        # Where a command's --channels is of its maps, a name was meant for the data set.
        if line.startswith("argument --channels: invalid choice"):
            line += "; --use-channels chooses channels of the data set"
        self.exit(2, f"{self.prog}: {line} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; ``run`` of what it gives is the function in `commands`."""
    main = _OneLineParser(
        prog="napari-channelmix",
        description="Explain a classifier of cells: which channels and pixels it needs, what each "
        "cell is like.",
    )
    version = package_version("napari-channelmix") or "unknown"
    main.add_argument("--version", action="version", version=f"napari-channelmix {version}")
    common = _OneLineParser(add_help=False)
    common.add_argument(
        "--device",
        choices=get_args(Device),
        default="auto",
        help="where to compute (default: auto)",
    )
    common.add_argument("--seed", type=argument("seed"), default=0, help="random seed")
    quiet = _OneLineParser(add_help=False)
    quiet.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    subparsers = main.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: object, text: str, *, computes: bool = True
    ) -> argparse.ArgumentParser:
        parents = [common, quiet] if computes else [quiet]
        subparser = subparsers.add_parser(name, help=text, description=text, parents=parents)
        subparser.set_defaults(run=run)
        return subparser

    demo = command("demo", commands.demo, "all main steps on the embedded sample")
    demo.add_argument("--out", type=Path, default=Path("channelmix-demo"), help="folder to fill")
    demo.add_argument("--no-window", action="store_true", help="do not open the viewer at the end")
    demo.set_defaults(epochs=15)

    view = command("view", commands.view, "open the viewer with a data set")
    view.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    add_channel_options(view)

    scan = command(
        "scan",
        commands.scan,
        "understand a folder, a plate or a table; write a data-set file",
        computes=False,
    )
    scan.add_argument("source", type=Path, help="folder, plate or table")
    segmentation = [field.name for field in fields_of(SegmentationSettings)]
    add_options(scan, ScanSettings, leave_out=segmentation)
    for option, metavar, text in (
        ("--channel", "NAME=NAME", "rename a channel: as files name it, and its name (ch5=DNA)"),
        ("--choose", "QUESTION=ANSWER", "answer a question (planes=3)"),
        ("--role", "COLUMN=ROLE", "say what a column is (part 2=class)"),
    ):
        scan.add_argument(
            option,
            metavar=metavar,
            action="append",
            default=[],
            dest={"--channel": "channels", "--choose": "choices", "--role": "roles"}[option],
            help=f"{text}; may be given several times",
        )
    scan.add_argument(
        "--out", type=Path, metavar="FILE", help="data-set file to write (default: only look)"
    )
    scan.add_argument("--verbose", action="store_true", help="name every file that is left out")
    add_options(scan, SegmentationSettings, heading="segmentation, where cells are segmented")
    scan.add_argument("--json", action="store_true", help="print what was understood as JSON")

    train = command("train", commands.train, "train a classifier and save it as a bundle")
    train.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    train.add_argument("--out", type=Path, required=True, help="bundle to write (M.cmx)")
    train.add_argument("--mix", action="store_true", help="with a mixing layer in front (DCMIX)")
    add_options(train, ClassifierSettings, leave_out=COMMON)
    add_channel_options(train)
    add_store_options(train)

    importance = command(
        "importance", commands.importance, "channel importance: which channels a classifier needs"
    )
    importance.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    importance.add_argument("--out", type=Path, required=True, help="folder for the result")
    add_options(importance, ImportanceSettings, leave_out=COMMON)
    add_channel_options(importance)
    add_store_options(importance)

    predict = command(
        "predict",
        commands.predict,
        "the class of each cell, and fractions of the classes in each group",
    )
    predict.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(predict)
    _add_prior(predict)
    predict.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for the tables, or one table of cells: a file that ends in .csv, .parquet or "
        ".h5ad, or in another ending of the command export",
    )
    add_options(predict, PredictSettings, leave_out=COMMON)
    add_channel_options(predict)
    add_store_options(predict)

    export = command(
        "export",
        commands.export,
        "cells with their predictions, latents and channel importance, into files of other "
        "programs: AnnData, SpatialData, scPortrait, OME-Zarr, QuPath, CellProfiler",
    )
    export.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    export.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="its ending tells the format: .csv, .parquet, .h5ad, .h5sc (with the crops), .tsv "
        "(QuPath), .geojson, or .zarr: the plate that the cells lie in, or a new copy of it",
    )
    export.add_argument("--model", help="bundle (M.cmx), or a model made elsewhere, see below")
    export.add_argument(
        "--predictions",
        type=Path,
        metavar="PATH",
        help="in place of a model: table or folder that 'predict' wrote",
    )
    _add_prior(export)
    export.add_argument("--latents", type=Path, metavar="DIR", help="folder that 'latents' wrote")
    export.add_argument(
        "--importance", type=Path, metavar="DIR", help="folder that 'importance' wrote"
    )
    add_options(export, ExportSettings, leave_out=COMMON)
    add_channel_options(export)
    add_store_options(export)
    _add_foreign(export)

    explain = command(
        "explain", commands.explain, "attribution maps: which pixels decide the predicted class"
    )
    explain.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(explain)
    _add_prior(explain)
    explain.add_argument("--out", type=Path, required=True, help="folder for the maps")
    add_options(explain, ExplainSettings, leave_out=COMMON)
    explain.add_argument(
        "--batch", type=argument("batch"), help="cells in a batch (default: as many as suit)"
    )
    add_channel_options(explain, taken=True)
    add_store_options(explain)

    what_if = command(
        "whatif",
        what_if_commands.what_if,
        "what would change the classifier's mind: real cells edited along named axes",
    )
    what_if.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(what_if)
    _add_prior(what_if)
    what_if.add_argument("--out", type=Path, required=True, help="folder for the answers")
    what_if.add_argument(
        "--axes",
        nargs="+",
        metavar="AXIS",
        help="axes to edit along, such as 'DNA brightness' (default: all that apply); the shams "
        "always",
    )
    what_if.add_argument(
        "--transplants",
        action="store_true",
        help="also channels and parts of the cell taken from cells of other classes",
    )
    what_if.add_argument(
        "--channels",
        action="store_true",
        help="also how important each channel is for this classifier, and what each class needs",
    )
    what_if.add_argument(
        "--players",
        type=Path,
        metavar="TABLE",
        help="the same for groups of channels that are exchanged together: a panel table with the "
        "columns channel and group",
    )
    add_options(what_if, WhatIfSettings, leave_out=(*COMMON, "axes"))
    add_channel_options(what_if, taken=True)
    add_store_options(what_if)

    audit = command(
        "audit",
        what_if_commands.audit,
        "whether a classifier decides by the cell, or by a shortcut",
    )
    audit.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(audit)
    audit.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="file for the card (audit.json)"
    )
    add_options(audit, AuditSettings, leave_out=COMMON)
    audit.add_argument(
        "--maps",
        type=argument_within(Bounds(0, 10_000), "maps"),
        default=24,
        metavar="N",
        help="cells to explain, to see where attribution lies; 0: none (default: 24)",
    )
    add_channel_options(audit)
    add_store_options(audit)

    evaluation = command("evaluate", commands.evaluate, "accuracy of a classifier on these cells")
    evaluation.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    _add_model(evaluation)
    _add_prior(evaluation)
    add_options(evaluation, EvaluationSettings, leave_out=COMMON)
    evaluation.add_argument("--json", action="store_true", help="print the result as JSON")
    evaluation.add_argument(
        "--out", type=Path, metavar="FILE", help="file for the result (evaluation.json)"
    )
    add_channel_options(evaluation)
    add_store_options(evaluation)

    latents = command(
        "latents", commands.latents, "latents: what each cell is like along named axes"
    )
    latents.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    latents.add_argument("--out", type=Path, required=True, help="folder for the result")
    add_options(latents, LatentsSettings, leave_out=COMMON)
    add_channel_options(latents)
    add_store_options(latents)

    report = command("report", commands.report, "an HTML report of what the other commands wrote")
    report.add_argument("dataset", type=Path, help="data-set file (dataset.toml)")
    report.add_argument("--out", type=Path, required=True, help="page to write (report.html)")
    report.add_argument("--model", help="bundle (M.cmx), or a model made elsewhere, see below")
    _add_prior(report)
    report.add_argument(
        "--importance", type=Path, metavar="DIR", help="folder that 'importance' wrote"
    )
    report.add_argument(
        "--explain",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="folder that 'explain' wrote; may be given several times",
    )
    report.add_argument("--latents", type=Path, metavar="DIR", help="folder that 'latents' wrote")
    report.add_argument("--whatif", type=Path, metavar="DIR", help="folder that 'whatif' wrote")
    report.add_argument("--audit", type=Path, metavar="FILE", help="file that 'audit' wrote")
    add_channel_options(report)
    _add_foreign(report)

    run = command("run", commands.run, "repeat all that a config describes, with a report")
    run.add_argument("config", type=Path, help="config, as the page 'Report' saves it")
    run.add_argument("--out", type=Path, required=True, help="folder for the results")
    run.add_argument(
        "--allow-code",
        action="store_true",
        help="run code of a model's maker (not needed for ONNX)",
    )

    doctor = command(
        "doctor", commands.doctor, "versions, Qt, GL, devices and why a device is missing"
    )
    doctor.add_argument("--json", action="store_true", help="as JSON")
    return main


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
        help="class frequencies that probabilities assume (prior): training (default), "
        "balanced, estimated (from these cells), or CLASS=SHARE for each class",
    )


def _add_foreign(command: argparse.ArgumentParser) -> None:
    """What a model that is no bundle does not say itself."""
    foreign = command.add_argument_group(
        "for models that are not bundles: ONNX, TorchScript or torch.export files, and models and "
        "functions as module:name or file.py:name (a classifier that wrap made there has its names)"
    )
    foreign.add_argument(
        "--channel-names", nargs="+", metavar="NAME", help="its channels, in order"
    )
    foreign.add_argument("--class-names", nargs="+", metavar="NAME", help="its classes, in order")
    foreign.add_argument(
        "--mean", nargs="+", type=float, default=[0.0], help="mean of each channel"
    )
    foreign.add_argument(
        "--std", nargs="+", type=float, default=[1.0], help="standard deviation of each channel"
    )
    foreign.add_argument(
        "--output",
        default="auto",
        choices=OUTPUTS,
        help="type of its output (default: auto, detected from the first cells; scores is the old "
        "word for logits)",
    )
    foreign.add_argument(
        "--select",
        metavar="OUTPUT",
        help="name or position of the output to use, where it has several",
    )
    foreign.add_argument(
        "--size",
        nargs="+",
        type=int,
        metavar="PX",
        help="side, or height and width, of the crops it takes (default: those that it states, "
        "else any); others are refused",
    )
    foreign.add_argument(
        "--resize", action="store_true", help="resize other crops to --size for the model"
    )
    foreign.add_argument(
        "--allow-code",
        action="store_true",
        help="run code of the model's maker (not needed for ONNX)",
    )
