"""A config as a plain Python script that uses the public names alone."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.config.file import folder_names
from napari_channelmix.settings import (
    ChannelSettings,
    ClassifierSettings,
    EncodingSettings,
    ImportanceSettings,
    PredictSettings,
    Question,
    TransplantSettings,
    WhatIfSettings,
    fields_of,
)
from napari_channelmix.settings.audit import AuditSettings

if TYPE_CHECKING:
    from napari_channelmix.config.schema import (
        AuditPart,
        ClassifierPart,
        Config,
        DataSetConfig,
        ExplanationPart,
        ImportancePart,
        LatentsPart,
        ModelChannelsPart,
        PredictionsPart,
        TransplantsPart,
        WhatIfPart,
    )

__all__ = ["arguments_of", "script_of"]


@dataclass(frozen=True)
class _Names:
    """How the script calls what belongs to one data set: ``cells``, or ``cells_2`` of several."""

    number: int
    several: bool
    folder: str
    title: str

    def __call__(self, what: str) -> str:
        return f"{what}_{self.number}" if self.several else what


def script_of(config: Config) -> str:
    """Python source that does what the config says, and prints what was found.

    It needs no display. Every setting is spelt out, also where it is the usual one. All data sets
    are opened first and all classifiers come next, since one may be used on several data sets.
    """
    folders = folder_names(config)
    named = [
        (data_set, _Names(number, bool(config.others), folder, _comment(data_set.data.name)))
        for number, (data_set, folder) in enumerate(zip(config.data_sets, folders, strict=True), 1)
    ]
    threads = _threads(config)
    blocks = [_head(config), *(_data(data_set, names) for data_set, names in named)]
    blocks += [
        _classifier(data_set.classifier, names, threads, _prior(data_set.classifier.prior))
        for data_set, names in named
        if data_set.classifier is not None
    ]
    count = sum(len(data_set.explanations) for data_set in config.data_sets)
    variables = iter(
        ["attribution"] if count == 1 else [f"attribution_{index}" for index in range(1, count + 1)]
    )
    for data_set, names in named:
        if data_set.importance is not None:
            blocks.append(_importance(data_set.importance, names, threads))
        if data_set.predictions is not None:
            model = named[config.owner_of(data_set, data_set.predictions)][1]("model")
            blocks.append(_predictions(data_set.predictions, names, model))
        for part in data_set.explanations:
            owner, owner_names = named[config.owner_of(data_set, part)]
            usual = None if owner.classifier is None else owner.classifier.prior
            prior = _prior(usual if part.prior is None else part.prior)
            blocks.append(
                _explanation(
                    part, names, owner_names("model"), next(variables), config.device, prior
                )
            )
        if data_set.what_if is not None:
            giver = named[config.owner_of(data_set, data_set.what_if)][1]
            blocks.append(_what_if(data_set.what_if, names, giver("model")))
        if data_set.transplants is not None:
            giver = named[config.owner_of(data_set, data_set.transplants)][1]
            blocks.append(_transplants(data_set.transplants, names, giver("model")))
        if data_set.model_channels is not None:
            giver = named[config.owner_of(data_set, data_set.model_channels)][1]
            blocks.append(_model_channels(data_set.model_channels, names, giver("model")))
        if data_set.audit is not None:
            giver = named[config.owner_of(data_set, data_set.audit)][1]
            blocks.append(_audit(data_set.audit, names, giver("model")))
        if data_set.latents is not None:
            limit = data_set.latents.limit
            # More than there are means all of them.
            if limit is not None and limit >= (data_set.data.n or limit + 1):
                limit = None
            latents = replace(data_set.latents, limit=limit)
            blocks.append(_latents(latents, names, config.device, threads))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _threads(config: Config) -> set[int]:
    """Numbers of threads that the parts were computed with."""
    parts = [
        part
        for entry in config.data_sets
        for part in (
            entry.classifier.training if entry.classifier else None,
            entry.importance,
            entry.latents,
        )
    ]
    return {entry.threads for entry in parts if entry is not None and entry.threads}


def _head(config: Config) -> list[str]:
    versions = ", ".join(f"{name} {of}" for name, of in config.versions.items() if of)
    lines = ['"""What was done in napari with ChannelMix, to be done again without a window.', ""]
    if config.made:
        lines.append(f"Written on {_plain(config.made)}.")
    if versions:
        lines += _folded(f"Made with {_plain(versions)}.")
    for note in config.notes:
        lines += _folded(f"Warning: {_plain(note)}")
    lines += ['"""', ""]
    threads = _threads(config)
    if threads:
        lines += [
            "import os",
            "",
            "# Sums come out a little differently with another number of threads.",
            f'os.environ["OMP_NUM_THREADS"] = "{min(threads)}"',
            "",
        ]
    sets = config.data_sets
    if any(
        data_set.classifier or (data_set.latents and data_set.latents.limit) for data_set in sets
    ):
        lines += ["import numpy as np", ""]
    lines.append("import napari_channelmix as cm")
    if any(data_set.latents is not None and data_set.latents.view is not None for data_set in sets):
        lines.append("from napari_channelmix.drl import View")
    return lines


def _data(data_set: DataSetConfig, names: _Names) -> list[str]:
    data, cells = data_set.data, names("cells")
    title = f"# The cells{_of(names)}."
    arguments = [_text(data.dataset)]
    if data.channels:
        arguments.append(f"channels={list(data.channels)!r}")
    lines = [title]
    if data.scaled_as is not None:
        arguments.append(f"scaling={_text(data.scaled_as)}")
    elif data.scaling:
        lines += _comment_lines(f"As the data-set file says, {data.scaling}.")
    lines += _call(f"{cells} = cm.open_dataset", arguments)
    if data.fingerprint:
        which = f"the data set {data.name}" if names.several else "the data set"
        lines += [
            f"if {cells}.fingerprint != {_text(data.fingerprint)}:",
            f"    raise SystemExit({_text(f'{which} has changed since this script was written')})",
        ]
    return [*lines, f'print(f"{{len({cells})}} cells: {{{cells}.class_counts}}")']


def arguments_of(part: Any, kind: type, leave_out: Collection[str] = ()) -> list[str]:
    """An argument for each setting; those that few people change only where they differ."""
    return [
        f"{field.name}={_value(getattr(part, field.name))}"
        for field in fields_of(kind)
        if field.name not in leave_out
        and not (
            getattr(part, field.name) == field.default
            and (field.about is None or field.about.advanced or field.default is None)
        )
    ]


def _value(value: Any) -> str:
    return _text(value) if isinstance(value, str) else repr(value)


def _split(cells: str, held_out: float, seed: int) -> str:
    return f"train, test = {cells}.split(test={held_out!r}, seed={seed})"


def _several(threads: set[int], own: int) -> list[str]:
    """Set the threads of a part where the parts differ."""
    if len(threads) < 2 or not own:
        return []
    return ["import torch", "", f"torch.set_num_threads({own})"]


def _classifier(
    part: ClassifierPart, names: _Names, threads: set[int], prior: list[str]
) -> list[str]:
    if part.file is not None:
        return _opened(part, names, prior)
    model = names("model")
    training = part.training
    assert training is not None
    arguments = ["train", *arguments_of(training, ClassifierSettings, ["held_out"])]
    known = "" if part.accuracy is None else f"  # then: {part.accuracy:.4f}"
    return [
        f"# The classifier{_of(names)}: whole groups are held out, and it is measured on those.",
        *_several(threads, training.threads),
        _split(names("cells"), training.held_out, training.seed),
        *_call(f"{model} = cm.train_classifier", arguments),
        f"{model} = {model}.calibrate(test)",
        f'predicted = {model}.predict(test, prior="balanced")',
        "recall = [np.mean(predicted[test.labels == code] == code) for code in set(test.labels)]",
        f'print(f"balanced accuracy, held-out cells: {{np.mean(recall):.4f}}"){known}',
        f"print(cm.evaluate({model}, test).words)",
    ]


def _of(names: _Names) -> str:
    """For a comment: of which data set, where there are several."""
    return f" of {names.title}" if names.several else ""


def _opened(part: ClassifierPart, names: _Names, prior: list[str]) -> list[str]:
    arguments = [_text(str(part.file))]
    lines, model = ["# The classifier."], names("model")
    if part.channels is not None and part.classes is not None:
        arguments += [f"channels={list(part.channels)!r}", f"classes={list(part.classes)!r}"]
        if part.mean is not None and part.std is not None:
            arguments += [f"mean={list(part.mean)!r}", f"std={list(part.std)!r}"]
        arguments.append(f"output={_text(part.output)}")
        if part.select is not None:
            arguments.append(f"select={part.select!r}")
        if part.size is not None:
            arguments.append(f"size={part.size!r}")
        if part.resize:
            arguments.append("resize=True")
    # Models in Python files and modules may name their channels themselves.
    elsewhere = part.channels is not None or re.search(r":\w+$", str(part.file))
    if elsewhere and Path(str(part.file)).suffix.lower() not in (".onnx", ".cmx"):
        lines.append("# allow_code runs code of the model's maker: only where you trust it.")
        arguments.append("allow_code=True")
    return [
        *lines,
        *_call(f"{model} = cm.load_model", arguments),
        f"predicted = {model}.predict({', '.join([names('cells'), *prior])})",
        f"counts = np.bincount(predicted, minlength=len({model}.classes))",
        f"print(dict(zip({model}.classes, counts.tolist())))",
    ]


def _importance(part: ImportancePart, names: _Names, threads: set[int]) -> list[str]:
    turns = "" if part.one_split else "; each group is held out in turn"
    if part.split_seed is None:
        part = replace(part, split_seed=part.seed)
    arguments = [names("cells"), *arguments_of(part, ImportanceSettings)]
    importance = names("importance")
    return [
        f"# Which channels the classifier{_of(names)} needs{turns}.",
        *_several(threads, part.threads),
        *_call(f"{importance} = cm.channel_importance", arguments),
        f"print({importance}.verdict)",
        f"print({importance}.gate)",
        f"print({importance}.to_frame())",
    ]


def _predictions(part: PredictionsPart, names: _Names, model: str) -> list[str]:
    predictions = names("predictions")
    folder = f"{names.folder}/predictions" if names.folder else "predictions"
    arguments = [model, names("cells"), _text(folder), *_prior(part.prior)]
    # What is the usual one is left out: where it is computed changes nothing.
    arguments += [
        f"{field.name}={_value(getattr(part, field.name))}"
        for field in fields_of(PredictSettings)
        if field.name != "prior" and getattr(part, field.name) != field.default
    ]
    known = f"  # then: {dict(part.called)!r}" if part.called else ""
    return [
        f"# The class of each cell{_of(names)}: tables of cells, groups and doses in a folder.",
        *_call(f"{predictions} = cm.predict_cells", arguments),
        f'print({predictions}.content["called"]){known}',
    ]


def _prior(prior: str | Mapping[str, float] | None) -> list[str]:
    """The argument for the prior, where another was chosen than the usual one."""
    if prior is None:
        return []
    return [f"prior={_text(prior) if isinstance(prior, str) else repr(dict(prior))}"]


def _explanation(
    part: ExplanationPart, names: _Names, model: str, variable: str, device: str, prior: list[str]
) -> list[str]:
    # How many cells, and that maps are scored, is for the command alone.
    mine = arguments_of(part, Question, ["prior"])
    arguments = [model, names("cells"), *mine, f"device={_text(device)}", *prior]
    if part.cells is not None:
        arguments += [f"only={list(part.cells)!r}", "batch=1"]
        noun = "cell" if len(part.cells) == 1 else "cells"
        title = f"# Which pixels of {noun} {', '.join(map(str, part.cells))}{_of(names)}."
    else:
        title = f"# Which pixels of each cell{_of(names)}."
    tested = []
    if part.reliability:
        arguments.append("reliability=True")
        tested = [f"print({variable}.reliability)"]
    return [
        title,
        *_call(f"{variable} = cm.explain", arguments),
        f"print([{variable}.classes[code] for code in {variable}.target], {variable}.scores())",
        *tested,
    ]


def _what_if(part: WhatIfPart, names: _Names, model: str) -> list[str]:
    answers = names("answers")
    own = arguments_of(part, WhatIfSettings, ["prior", "workers", "scheduler", "retries"])
    lines = [
        f"# What would change the classifier's mind about the cells{_of(names)}.",
        *_call(f"{answers} = cm.what_if", [model, names("cells"), *own, *_prior(part.prior)]),
        f'print("\\n".join({answers}.lines))',
    ]
    same = [f"only={_text(part.only)}", f"seed={part.seed}", *_prior(part.prior)]
    beside = [model, names("cells"), *same]
    if part.transplants:
        lines += _call(f"{names('transplants')} = cm.transplant", beside)
        lines.append(f"print({names('transplants')}.by_part)")
    if part.channels:
        groups = [f"players={dict(part.players)!r}"] if part.players else []
        lines += _call(f"{names('channels')} = cm.channel_shapley", [*beside, *groups])
        lines.append(f"print({names('channels')}.table)")
    return lines


def _transplants(part: TransplantsPart, names: _Names, model: str) -> list[str]:
    transplants = names("transplants")
    own = arguments_of(part, TransplantSettings)
    return [
        f"# Which part of a cell of another class changes the prediction{_of(names)}.",
        *_call(f"{transplants} = cm.transplant", [model, names("cells"), *own]),
        f"print({transplants}.by_part)",
    ]


def _model_channels(part: ModelChannelsPart, names: _Names, model: str) -> list[str]:
    channels = names("channels")
    own = arguments_of(part, ChannelSettings)
    return [
        f"# How important each channel is for this classifier{_of(names)}.",
        *_call(f"{channels} = cm.channel_shapley", [model, names("cells"), *own]),
        f"print({channels}.table)",
    ]


def _audit(part: AuditPart, names: _Names, model: str) -> list[str]:
    card, maps, cells = names("card"), names("maps"), names("cells")
    own = arguments_of(part, AuditSettings)
    lines = [f"# Whether the classifier decides by a shortcut{_of(names)}."]
    if part.mapped:
        mapped = f"only={list(part.mapped)!r}"
        lines += _call(f"{maps} = cm.explain", [model, cells, mapped, "batch=1", "check=False"])
        own += [f"maps={maps}.maps", f"mapped={list(part.mapped)!r}"]
    return [
        *lines,
        *_call(f"{card} = cm.audit", [model, cells, *own]),
        f'print("\\n".join({card}.lines))',
    ]


def _latents(part: LatentsPart, names: _Names, device: str, threads: set[int]) -> list[str]:
    cells, latents = names("cells"), names("latents")
    arguments = [cells if part.limit is None else "some", _text(part.model)]
    title = f"# What each cell{_of(names)} is like, along named axes."
    lines = [title, *_several(threads, part.threads)]
    if part.limit is not None:
        lines += [
            f"edges = np.arange({part.limit} + 1) * len({cells}) // {part.limit}",
            f"draws = np.random.default_rng({part.seed})",
            f"some = {cells}.subset(draws.integers(edges[:-1], edges[1:]))",
        ]
    if part.view is not None:
        view = part.view
        spelt = [
            f"channels={tuple(view['channels'])!r}",
            f"weights={tuple(tuple(row) for row in view['weights'])!r}",
            f"natural={bool(view['natural'])}",
        ]
        lines += _call("view = View", spelt)
        arguments.append("view=view")
    elif part.looked_at is not None:
        arguments.append(f"view={json.dumps(part.looked_at, ensure_ascii=False)}")
    arguments += arguments_of(part, EncodingSettings, ["model"])
    arguments.append(f"device={_text(device)}")
    return [
        *lines,
        *_call(f"{latents} = cm.latents", arguments),
        f"for one in {latents}.trust:",
        '    print(f"{one.name}: {one.badge} ({one.words})")',
    ]


def _call(what: str, arguments: list[str]) -> list[str]:
    """A call on one line where it fits, else an argument a line."""
    line = f"{what}({', '.join(arguments)})"
    if len(line) <= 100:
        return [line]
    return [f"{what}(", *(f"    {argument}," for argument in arguments), ")"]


def _text(value: str) -> str:
    """A string as Python source, in double quotes."""
    return json.dumps(value, ensure_ascii=False)


def _plain(text: str) -> str:
    """Text that cannot end the docstring it stands in."""
    return text.replace("\\", "/").replace('"', "'")


def _comment(text: str) -> str:
    """Text that stays on the line of its comment."""
    return " ".join(_plain(text).split())


def _comment_lines(text: str) -> list[str]:
    return [f"# {line}" for line in _folded(_comment(text))]


def _folded(text: str) -> list[str]:
    return textwrap.wrap(text, 96)
