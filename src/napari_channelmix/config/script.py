"""A config as a plain Python script that uses the public names alone."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.config.model import (
        ClassifierPart,
        Config,
        ExplanationPart,
        ImportancePart,
        LatentsPart,
        TrainingPart,
    )

__all__ = ["script_of"]

LEARNING = ("patience", "batch", "rate", "decay", "clip")


def script_of(config: Config) -> str:
    """Python source that does what the config says, and prints what was found.

    It needs no display. Every setting is spelt out, also where it is the usual one.
    """
    blocks = [_head(config), _data(config)]
    if config.classifier is not None:
        blocks.append(_classifier(config.classifier, _threads(config), _prior(config)))
    if config.importance is not None:
        blocks.append(_importance(config.importance, _threads(config)))
    names = [""] if len(config.explanations) == 1 else [
        f"_{at}" for at in range(1, len(config.explanations) + 1)
    ]  # fmt: skip
    blocks += [
        _explanation(one, name, config.device, _prior(config))
        for one, name in zip(config.explanations, names, strict=False)
    ]
    if config.latents is not None:
        limit = config.latents.limit
        # More than there are means all of them.
        if limit is not None and limit >= (config.data.n or limit + 1):
            limit = None
        latents = config.latents.model_copy(update={"limit": limit})
        blocks.append(_latents(latents, config.device, _threads(config)))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _threads(config: Config) -> set[int]:
    """Numbers of threads that the parts were computed with."""
    parts = [config.importance, config.latents]
    if config.classifier is not None:
        parts.append(config.classifier.training)  # type: ignore[arg-type]
    return {one.threads for one in parts if one is not None and one.threads}


def _head(config: Config) -> list[str]:
    versions = ", ".join(f"{name} {of}" for name, of in config.versions.items() if of)
    lines = ['"""What was done in napari with ChannelMix, to be done again without a window.', ""]
    if config.made:
        lines.append(f"Written on {_plain(config.made)}.")
    if versions:
        lines += _folded(f"Made with {_plain(versions)}.")
    for note in config.notes:
        lines += _folded(f"Mind: {_plain(note)}")
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
    if config.classifier is not None or (config.latents and config.latents.limit):
        lines += ["import numpy as np", ""]
    lines.append("import napari_channelmix as cm")
    training = config.classifier.training if config.classifier else None
    if config.importance is not None or (training is not None and _settings(training)[1]):
        lines.append("from napari_channelmix.classify import TrainingSettings")
    if config.latents is not None and config.latents.view is not None:
        lines.append("from napari_channelmix.drl import View")
    return lines


def _data(config: Config) -> list[str]:
    data = config.data
    lines = ["# The cells.", f"cells = cm.open_dataset({_text(data.dataset)})"]
    if data.fingerprint:
        lines += [
            f"if cells.fingerprint != {_text(data.fingerprint)}:",
            '    raise SystemExit("the data set has changed since this script was written")',
        ]
    return [*lines, 'print(f"{len(cells)} cells: {cells.class_counts}")']


def _settings(part: TrainingPart | ImportancePart) -> tuple[str, bool]:
    """Arguments for epochs and learning, and whether they are more than the usual."""
    usual = type(part)()
    other = {name: getattr(part, name) for name in LEARNING
             if getattr(part, name) != getattr(usual, name)}  # fmt: skip
    if not other:
        return f"epochs={part.epochs}", False
    said = ", ".join(f"{name}={value!r}" for name, value in other.items())
    return f"settings=TrainingSettings(epochs={part.epochs}, {said})", True


def _split(held_out: float, seed: int) -> str:
    return f"train, test = cells.split(test={held_out!r}, seed={seed})"


def _several(threads: set[int], own: int) -> list[str]:
    """Set the threads of a part where the parts differ."""
    if len(threads) < 2 or not own:
        return []
    return ["import torch", "", f"torch.set_num_threads({own})"]


def _classifier(part: ClassifierPart, threads: set[int], prior: list[str]) -> list[str]:
    if part.file is not None:
        return _opened(part, prior)
    training = part.training
    assert training is not None
    how, _ = _settings(training)
    arguments = ["train"]
    if training.mixes:
        arguments += ["mix=True", f"mixes={training.mixes}",
                      f"constraint={_text(training.constraint)}"]  # fmt: skip
    arguments += [f"network={_text(training.network)}", how, f"seed={training.seed}",
                  f"device={_text(training.device)}"]  # fmt: skip
    known = "" if part.accuracy is None else f"  # then: {part.accuracy:.4f}"
    return [
        "# The classifier: whole groups are held out, and it is measured on those.",
        *_several(threads, training.threads),
        _split(training.held_out, training.seed),
        *_call("model = cm.train_classifier", arguments),
        "model = model.calibrate(test)",
        'predicted = model.predict(test, prior="balanced")',
        "recall = [np.mean(predicted[test.labels == code] == code) for code in set(test.labels)]",
        f'print(f"balanced accuracy, held-out cells: {{np.mean(recall):.4f}}"){known}',
        "print(cm.evaluate(model, test).words)",
    ]


def _opened(part: ClassifierPart, prior: list[str]) -> list[str]:
    arguments = [_text(str(part.file))]
    lines = ["# The classifier."]
    if part.channels is not None and part.classes is not None:
        arguments += [f"channels={list(part.channels)!r}", f"classes={list(part.classes)!r}"]
        if part.mean is not None and part.std is not None:
            arguments += [f"mean={list(part.mean)!r}", f"std={list(part.std)!r}"]
        arguments.append(f"output={_text(part.output)}")
        if part.select is not None:
            arguments.append(f"select={part.select!r}")
        if Path(str(part.file)).suffix.lower() != ".onnx":
            lines.append("# allow_code runs code of the model's maker: only where you trust it.")
            arguments.append("allow_code=True")
    return [
        *lines, *_call("model = cm.load_model", arguments),
        f"predicted = model.predict({', '.join(['cells', *prior])})",
        'print(dict(zip(model.classes, np.bincount(predicted, minlength=len(model.classes)))))',
    ]  # fmt: skip


def _importance(part: ImportancePart, threads: set[int]) -> list[str]:
    how, tuned = _settings(part)
    if not tuned:
        how = f"settings=TrainingSettings(epochs={part.epochs})"
    turns = "" if part.one_split else "; each group is held out in turn"
    split_seed = part.seed if part.split_seed is None else part.split_seed
    scaled = f".normalised_by_group(per={_text(part.scaled_per)})" if part.scaled_per else ""
    arguments = [
        f"cells{scaled}", f"seeds={part.seeds}", f"held_out={part.held_out!r}",
        f"split_seed={split_seed}",
        *(["one_split=True"] if part.one_split else []), f"shapley={part.shapley}",
        f"decoys={part.decoys}", f"mixes={part.mixes}", f"constraint={_text(part.constraint)}",
        f"network={_text(part.network)}", how, f"seed={part.seed}",
        f"device={_text(part.device)}",
    ]  # fmt: skip
    return [
        f"# Which channels the classifier needs{turns}.",
        *_several(threads, part.threads),
        *_call("importance = cm.channel_importance", arguments),
        "print(importance.verdict)",
        "print(importance.gate)",
        "print(importance.to_frame())",
    ]


def _prior(config: Config) -> list[str]:
    """The argument for the prior, where another was chosen than the usual one."""
    prior = None if config.classifier is None else config.classifier.prior
    if prior is None:
        return []
    return [f"prior={_text(prior) if isinstance(prior, str) else repr(dict(prior))}"]


def _explanation(part: ExplanationPart, name: str, device: str, prior: list[str]) -> list[str]:
    arguments = ["model", "cells"]
    if part.target is not None:
        arguments.append(f"target={_text(part.target)}")
    if part.versus is not None:
        arguments.append(f"versus={_text(part.versus)}")
    arguments += [f"method={_text(part.method)}", f"mode={_text(part.mode)}"]
    if part.channels != "shared":
        arguments.append(f"channels={_text(part.channels)}")
    arguments += [f"forwards={part.forwards}", f"seed={part.seed}", f"device={_text(device)}",
                  *prior]  # fmt: skip
    if part.cells is not None:
        arguments += [f"only={list(part.cells)!r}", "batch=1"]
        noun = "cell" if len(part.cells) == 1 else "cells"
        title = f"# Which pixels of {noun} {', '.join(map(str, part.cells))}."
    else:
        title = "# Which pixels of each cell."
    found = f"found{name}"
    return [
        title,
        *_call(f"{found} = cm.explain", arguments),
        f"print([{found}.classes[code] for code in {found}.target], {found}.scores())",
    ]


def _latents(part: LatentsPart, device: str, threads: set[int]) -> list[str]:
    arguments = ["cells" if part.limit is None else "some", _text(part.model)]
    lines = ["# What each cell is like, along named axes.", *_several(threads, part.threads)]
    if part.limit is not None:
        lines += [
            f"edges = np.arange({part.limit} + 1) * len(cells) // {part.limit}",
            f"draws = np.random.default_rng({part.seed})",
            "some = cells.subset(draws.integers(edges[:-1], edges[1:]))",
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
    arguments += [f"finetune={part.finetune}", f"seed={part.seed}", f"device={_text(device)}"]
    return [
        *lines,
        *_call("latents = cm.latents", arguments),
        "for one in latents.trust:",
        '    print(f"{one.name}: {one.badge} ({one.words})")',
    ]


def _call(what: str, arguments: list[str]) -> list[str]:
    """A call on one line where it fits, else an argument a line."""
    line = f"{what}({', '.join(arguments)})"
    if len(line) <= 100:
        return [line]
    return [f"{what}(", *(f"    {one}," for one in arguments), ")"]


def _text(value: str) -> str:
    """A string as Python source, in double quotes."""
    return json.dumps(value, ensure_ascii=False)


def _plain(text: str) -> str:
    """Text that cannot end the docstring it stands in."""
    return text.replace("\\", "/").replace('"', "'")


def _folded(text: str) -> list[str]:
    return textwrap.wrap(text, 96)
