"""Results as text for a terminal."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any

from napari_channelmix.pcim.reference_scores import reference_scores_text
from napari_channelmix.phenotypes.confusion import class_places
from napari_channelmix.report.text import readable_in_words
from napari_channelmix.wording import counted, listed, sampled_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_channelmix.classify import Evaluation
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.run.rerun import Rerun

__all__ = [
    "accuracy_text",
    "evaluation_text",
    "explanation_text",
    "importance_text",
    "rerun_text",
    "saved_text",
]

WIDTH = 30


def saved_text(files: Sequence[Path], folder: Path) -> str:
    """Which files were written, and where; the first ones where they are many.

    Examples
    --------
    >>> from pathlib import Path
    >>> saved_text([Path("out/a.csv"), Path("out/b.csv")], Path("out"))
    'saved a.csv, b.csv in out'
    >>> saved_text([Path("a.csv")], Path())
    'saved a.csv'
    """
    where = "" if str(folder) == "." else f" in {folder}"
    return f"saved {listed(path.name for path in files)}{where}"


def importance_text(importance: ChannelImportance) -> str:
    """Verdict, accuracies, bars of the shares with Shapley values, the most important first."""
    lines = [*_reliability_lines(importance), *importance.accuracy_lines]
    longest = max(len(name) for name in ("channel", *importance.channels))
    p_head = "" if importance.p_value is None else f"{' p':>10}"
    lines.append(f"{'channel':<{longest}}  {'share':<{WIDTH}}  {'':13} Shapley{p_head}")
    for i in importance.order:
        bar = "█" * round(WIDTH * importance.share[i])
        shapley = "" if importance.shapley is None else f"{importance.shapley[i]:+.3f}"
        p_text = "" if importance.p_value is None else f"{_p_text(importance.p_value[i]):>10}"
        line = (
            f"{importance.channels[i]:<{longest}}  {bar:<{WIDTH}}  "
            f"{importance.share[i]:.3f} ± {importance.share_sd[i]:.3f} {shapley:<7}{p_text}"
        )
        lines.append(line.rstrip())
    lines += filter(None, [sampled_line(importance.sampling_error)])
    lines += importance.effect_sentences
    lines += _alone_lines(importance, longest)
    lines += [line for line in importance.sentences if line != importance.gate]
    lines += [f"note: {line}" for line in importance.warnings]
    if importance.p_value_reason:
        lines.append(f"note: no p-values: {importance.p_value_reason}")
    return "\n".join(lines)


def _reliability_lines(importance: ChannelImportance) -> list[str]:
    """Whether the shares may be read, and why not."""
    if importance.asks:
        return [f"reliability: {importance.gate}"]
    if importance.gate == "ok":
        return [f"reliability: {importance.verdict or 'Reliable'}"]
    if not importance.verdict:
        return [f"reliability: {importance.gate}"]
    return [f"reliability: {importance.verdict}", f"reason: {importance.gate}"]


def _alone_lines(importance: ChannelImportance, width: int) -> list[str]:
    """Accuracy of each channel alone and of all without it, with intervals and numbers."""
    alone = importance.alone
    if alone is None:
        return []
    lines = [f"{'channel':<{width}}  {'alone':<20}  without it"]
    lines += [
        f"{alone.channels[index]:<{width}}  {alone.alone[index].accuracy.short_text:<20}  "
        f"{alone.without[index].accuracy.short_text}"
        for index in importance.order
    ]
    lines.append(f"all: {alone.whole.short_text}; {alone.measured_on}")
    if importance.alone_unreadable:
        lines.append(f"alone, without it: {importance.alone_unreadable}")
    return lines


def _p_text(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def accuracy_text(estimate: AccuracyEstimate, *, then: float | None = None) -> str:
    """Balanced accuracy with its interval, and below it the recall of each class.

    ``then``: what was found before, for comparison.
    """
    lines = [estimate.text() if then is None else f"{estimate.text()} (then {then:.4f})"]
    lines += [f"  recall of {row.text()}" for row in estimate.per_class]
    return "\n".join(lines)


def evaluation_text(evaluation: Evaluation) -> str:
    """Accuracy and recalls with their intervals, and the classes given against those called."""
    lines = [f"{evaluation.name}: {evaluation.words}"]
    rows, columns = evaluation.confusion.rows, evaluation.confusion.columns
    longest = max(len(name) for name in (*rows, "class"))
    head = "  ".join(f"{name[:14]:>14}" for name in columns)
    lines.append(f"{'class':<{longest}}  recall  95 % interval  groups  cells  called {head}")
    # Of a class that the model does not know there is no recall.
    recalls = {
        row: evaluation.estimate.per_class[place]
        for row, place in enumerate(class_places(rows, columns))
        if place >= 0
    }
    for index, name in enumerate(rows):
        counts = evaluation.confusion.counts[index]
        if not counts.sum():
            continue
        recall, between, groups = "–", "", ""
        of = recalls.get(index)
        if of is not None and of.recall is not None:
            recall, groups = f"{of.recall:.3f}", str(of.n_groups)
            between = f"{of.low:.2f} to {of.high:.2f}"
        fields = "  ".join(f"{count:>14}" for count in counts)
        lines.append(
            f"{name:<{longest}}  {recall:>6}  {between:>13}  {groups:>6}  {counts.sum():>5}"
            f"         {fields}"
        )
    if evaluation.unlabelled:
        lines.append(f"{counted(evaluation.unlabelled, 'cell', 'have')} no class")
    lines += evaluation.probability_lines
    if not evaluation.shift.lines:
        lines.append("the cells are like those of training, as far as can be seen")
    lines += [f"note: {line}" for line in evaluation.warnings]
    return "\n".join(lines)


def explanation_text(content: dict[str, Any]) -> str:
    """What explain.json says: cells, classes, time, and the scores, best SRG first."""
    counts = Counter(content["target"])
    classes = ", ".join(f"{content['classes'][of]} {count}" for of, count in sorted(counts.items()))
    lines = [
        f"{content['n']} cells explained with {content['method']} ({content['mode']}), "
        f"{1000 * content['seconds_per_cell']:.1f} ms a cell; class explained: {classes}"
    ]
    if content.get("output"):
        lines.append(f"what the model gives: {content['output']}")
    scores = content.get("scores", {})
    if scores:
        longest = max(len(name) for name in scores)
        lines.append(
            f"{'method':<{longest}}  {'SRG':>6} {'insertion':>9} {'deletion':>8} {'ms':>7}"
        )
        for name, entry in sorted(scores.items(), key=lambda item: -item[1]["srg"]):
            lines.append(
                f"{name:<{longest}}  {entry['srg']:>6.3f} {entry['insertion']:>9.3f} "
                f"{entry['deletion']:>8.3f} {1000 * entry['seconds_per_cell']:>7.1f}"
            )
        own = scores.get(content["method"], {}).get("by_reference", {})
        lines += [f"{content['method']}: {reference_scores_text(own)}"] if own else []
    if "reliability" in content:
        lines += reliability_text(content["reliability"])
    lines += [f"note: {line}" for line in content["warnings"]]
    return "\n".join(lines)


def reliability_text(content: dict[str, Any]) -> list[str]:
    """How many maps may be read, and what speaks against the others, a line each."""
    counts = Counter(content["verdict"])
    verdicts = ", ".join(f"{name} {counts.get(name, 0)}" for name in ("good", "warning", "error"))
    lines = [f"reliability: {readable_in_words(content)}; {verdicts}"]
    alike = [value for value in content["randomisation"] if value is not None]
    if alike:
        lines.append(
            f"correlation with the maps of random weights: median {statistics.median(alike):.2f}"
        )
    return lines


def rerun_text(rerun: Rerun) -> str:
    """The numbers of every part, beside those the config was made with where it has them."""
    several, lines = len(rerun.data_sets) > 1, []
    for data_set in rerun.data_sets:
        if several:
            lines.append(f"{data_set.config.data.name}:")
        lines += _parts_text(data_set)
    return "\n".join(lines)


def _parts_text(rerun: Rerun) -> list[str]:
    """The same for one data set, a line or more for each part."""
    from napari_channelmix.report.predict_dataset import predicted_text
    from napari_channelmix.run.encode_dataset import latents_text

    record, lines = rerun.config.classifier, []
    if rerun.classifier is not None and record is not None:
        accuracy = getattr(rerun.classifier, "accuracy", None)
        if accuracy is not None:
            lines.append(accuracy_text(accuracy, then=record.accuracy))
        else:
            lines.append(f"classifier: {record.file}")
    if rerun.importance is not None:
        lines.append(importance_text(rerun.importance))
        then_share = rerun.config.importance.share if rerun.config.importance else None
        if then_share:
            pairs = zip(rerun.importance.channels, rerun.importance.share, strict=True)
            most = max(abs(share - then_share.get(name, share)) for name, share in pairs)
            lines.append(f"shares differ from those of the config by {most:.2g} at most")
    if rerun.predictions is not None:
        lines.append(predicted_text(rerun.predictions))
    lines += [explanation_text(explanation.content) for explanation in rerun.explained]
    if rerun.latents is not None:
        lines.append(latents_text(rerun.latents.latents))
    return lines
