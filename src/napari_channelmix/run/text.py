"""Results as text for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from napari_channelmix.phenotypes.confusion import class_places
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.classify import Evaluation
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.run.rerun import Rerun

__all__ = ["accuracy_text", "evaluation_text", "explanation_text", "importance_text", "rerun_text"]

WIDTH = 30


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
    found = importance.alone
    if found is None:
        return []
    lines = [f"{'channel':<{width}}  {'alone':<20}  without it"]
    lines += [
        f"{found.channels[at]:<{width}}  {found.alone[at].accuracy.short_text:<20}  "
        f"{found.without[at].accuracy.short_text}"
        for at in importance.order
    ]
    lines.append(f"all: {found.whole.short_text}; {found.measured_on}")
    if importance.alone_unreadable:
        lines.append(f"alone, without it: {importance.alone_unreadable}")
    return lines


def _p_text(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def accuracy_text(found: AccuracyEstimate, *, then: float | None = None) -> str:
    """Balanced accuracy with its interval, and below it the recall of each class.

    ``then``: what was found before, for comparison.
    """
    lines = [found.text() if then is None else f"{found.text()} (then {then:.4f})"]
    lines += [f"  recall of {row.text()}" for row in found.per_class]
    return "\n".join(lines)


def evaluation_text(found: Evaluation) -> str:
    """Accuracy and recalls with their intervals, and the classes given against those called."""
    lines = [f"{found.name}: {found.words}"]
    rows, columns = found.confusion.rows, found.confusion.columns
    longest = max(len(name) for name in (*rows, "class"))
    head = "  ".join(f"{name[:14]:>14}" for name in columns)
    lines.append(f"{'class':<{longest}}  recall  95 % interval  groups  cells  called {head}")
    # Of a class that the model does not know there is no recall.
    recalls = {
        row: found.estimate.per_class[place]
        for row, place in enumerate(class_places(rows, columns))
        if place >= 0
    }
    for at, name in enumerate(rows):
        counts = found.confusion.counts[at]
        if not counts.sum():
            continue
        recall, between, groups = "–", "", ""
        of = recalls.get(at)
        if of is not None and of.recall is not None:
            recall, groups = f"{of.recall:.3f}", str(of.n_groups)
            between = f"{of.low:.2f} to {of.high:.2f}"
        fields = "  ".join(f"{count:>14}" for count in counts)
        lines.append(
            f"{name:<{longest}}  {recall:>6}  {between:>13}  {groups:>6}  {counts.sum():>5}"
            f"         {fields}"
        )
    if found.unlabelled:
        lines.append(f"{counted(found.unlabelled, 'cell', 'have')} no class")
    lines += found.probability_lines
    if not found.shift.lines:
        lines.append("the cells are like those of training, as far as can be seen")
    lines += [f"note: {line}" for line in found.warnings]
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
        for name, one in sorted(scores.items(), key=lambda item: -item[1]["srg"]):
            lines.append(
                f"{name:<{longest}}  {one['srg']:>6.3f} {one['insertion']:>9.3f} "
                f"{one['deletion']:>8.3f} {1000 * one['seconds_per_cell']:>7.1f}"
            )
    lines += [f"note: {line}" for line in content["warnings"]]
    return "\n".join(lines)


def rerun_text(found: Rerun) -> str:
    """The numbers of every part, beside those the config was made with where it has them."""
    several, lines = len(found.data_sets) > 1, []
    for one in found.data_sets:
        if several:
            lines.append(f"{one.config.data.name}:")
        lines += _parts_text(one)
    return "\n".join(lines)


def _parts_text(found: Rerun) -> list[str]:
    """The same for one data set, a line or more for each part."""
    from napari_channelmix.run.encode_dataset import latents_text
    from napari_channelmix.run.predict_dataset import predicted_text

    said, lines = found.config.classifier, []
    if found.classifier is not None and said is not None:
        accuracy = getattr(found.classifier, "accuracy", None)
        if accuracy is not None:
            lines.append(accuracy_text(accuracy, then=said.accuracy))
        else:
            lines.append(f"classifier: {said.file}")
    if found.importance is not None:
        lines.append(importance_text(found.importance))
        then_share = found.config.importance.share if found.config.importance else None
        if then_share:
            pairs = zip(found.importance.channels, found.importance.share, strict=True)
            most = max(abs(share - then_share.get(name, share)) for name, share in pairs)
            lines.append(f"shares differ from those of the config by {most:.2g} at most")
    if found.predictions is not None:
        lines.append(predicted_text(found.predictions))
    lines += [explanation_text(one.content) for one in found.explained]
    if found.latents is not None:
        lines.append(latents_text(found.latents.latents))
    return lines
