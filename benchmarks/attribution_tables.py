"""The tables of docs/pixel-attribution.md, from the files of figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attribution_checks import best_opponent, measured, srg_of
from attribution_methods import MORE, OPPONENTS, OURS
from attribution_results import Results
from attribution_scores import FAMILIES, paired

__all__ = ["print_tables"]

# Families and their mean, as columns.
ALL = ("mean", *FAMILIES)


def print_tables(folder: Path) -> None:
    """All tables for which there are figures, as Markdown."""
    files = {path.stem: Results.stored(path) for path in sorted(folder.glob("*.json"))}
    # Sets that are not finished are left out: another opponent might still win there.
    scored = {
        name: results
        for name, results in files.items()
        if {*OURS, *OPPONENTS} <= set(results.under("scores/"))
    }
    for title, table in (
        ("Mean of the families", means),
        ("Families, mean over sets and networks", families),
        ("Who wins where", winners),
        ("Costs", costs),
        ("Localisation", localisation),
    ):
        print(f"\n### {title}\n")
        print_rows(table(scored))
    more = {name: results for name, results in files.items() if set(MORE) & set(measured(results))}
    if more:
        print("\n### Appendix\n")
        print_rows(appendix(more))
    for part, table in (
        ("randomisation", sanity),
        ("parts", parts),
        ("blackbox", black_boxes),
        ("speed", speeds),
        ("study", studies),
    ):
        having = {name: results for name, results in files.items() if part in results}
        if having:
            print(f"\n### {part}\n")
            print_rows(table(having))


def print_rows(rows: Sequence[Sequence[str]]) -> None:
    for index, row in enumerate(rows):
        print(f"| {' | '.join(row)} |")
        if not index:
            print("|" + "---|" * len(row))


def titled(name: str) -> str:
    return name.replace("-small", ", small").replace("-medium", ", medium")


def of_groups(results: Results) -> np.ndarray:
    return np.asarray(results["groups"]["groups"])


def gain_text(results: Results, ours: str, rival: str | None, family: str = "mean") -> str:
    if rival is None:
        return "none"
    scores = measured(results)
    gain = paired(srg_of(scores[ours], family), srg_of(scores[rival], family), of_groups(results))
    return (
        f"{gain['gain']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f}; p {gain['p']:.0e}, "
        f"{gain['groups']} groups) over {rival}"
    )


def means(files: dict[str, Results]) -> list[list[str]]:
    """Gains of ours on the mean, over the best opponent, and the best of about as many calls."""
    head = ["set, network", "n", "accuracy", "**PCIM**", "**PCIM (high fidelity)**"]
    rows = [
        [
            *head,
            "PCIM over the best opponent of about as many calls at most",
            "high fidelity over the best opponent",
        ]
    ]
    for name, results in files.items():
        scores = measured(results)
        calls = scores["pcim"]["calls"]
        rows.append(
            [
                titled(name),
                str(results["n"]["n"]),
                f"{results['n']['accuracy']:.3f}",
                f"{srg_of(scores['pcim']).mean():.3f}",
                f"{srg_of(scores['pcim-fidelity']).mean():.3f}",
                gain_text(results, "pcim", best_opponent(scores, "mean", calls)),
                gain_text(results, "pcim-fidelity", best_opponent(scores)),
            ]
        )
    return rows


def appendix(files: dict[str, Results]) -> list[list[str]]:
    """Methods of the appendix beside those measured with them, and how far ours is ahead."""
    rows = [["set, network", "method", "n", "SRG", "PCIM ahead by", "high fidelity ahead by"]]
    rows[0] += ["calls", "variant"]
    for name, results in files.items():
        scores = measured(results)
        for method in (*OURS, *OPPONENTS, *MORE):
            if method not in scores:
                continue
            part = scores[method]
            gains = [
                "" if method in OURS or ours not in scores else ahead(results, ours, method)
                for ours in ("pcim", "pcim-fidelity")
            ]
            rows.append(
                [
                    titled(name),
                    method,
                    str(results["n"]["n"]),
                    f"{srg_of(part).mean():.3f}",
                    *gains,
                    f"{part['calls']:.0f}",
                    part.get("variant", ""),
                ]
            )
    return rows


def ahead(results: Results, ours: str, rival: str) -> str:
    scores = measured(results)
    gain = paired(srg_of(scores[ours]), srg_of(scores[rival]), of_groups(results))
    return f"{gain['gain']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"


def families(files: dict[str, Results]) -> list[list[str]]:
    """SRG of each method on each family, the mean over all sets and networks."""
    rows = [["method", *ALL]]
    for method in (*OURS, *OPPONENTS):
        having = [measured(results) for results in files.values()]
        having = [scores for scores in having if method in scores]
        if having:
            values = [
                np.mean([srg_of(scores[method], family).mean() for scores in having])
                for family in ALL
            ]
            rows.append([method, *(f"{value:.3f}" for value in values)])
    return rows


def winners(files: dict[str, Results]) -> list[list[str]]:
    """For each set and family the best method; where it is not ours, how far ours is behind."""
    rows = [["set, network", *ALL]]
    ahead: Counter[str] = Counter()
    for name, results in files.items():
        scores, row = measured(results), [titled(name)]
        for family in ALL:
            rival = best_opponent(scores, family)
            assert rival is not None
            gain = (srg_of(scores["pcim-fidelity"], family) - srg_of(scores[rival], family)).mean()
            ahead[family] += bool(gain > 0)
            row.append(f"{gain:+.3f} {'' if gain > 0 else '**behind** '}({rival})")
        rows.append(row)
    rows.append(["high fidelity ahead", *(f"{ahead[family]} of {len(files)}" for family in ALL)])
    return rows


def costs(files: dict[str, Results]) -> list[list[str]]:
    """Calls and milliseconds for a cell; median and range of the ratio to integrated gradients."""
    rows = [["method", "calls", "time, integrated gradients = 1", "SRG, mean"]]
    having = [measured(results) for results in files.values()]
    for method in (*OURS, *OPPONENTS) if having else ():
        with_it = [scores for scores in having if method in scores]
        if not with_it:
            continue
        ratios = [scores[method]["ms"] / scores["integrated-gradients"]["ms"] for scores in with_it]
        calls = [scores[method]["calls"] for scores in with_it]
        span = f"{min(calls):.0f}" if np.ptp(calls) < 1 else f"{min(calls):.0f} to {max(calls):.0f}"
        srg = np.mean([srg_of(scores[method]).mean() for scores in with_it])
        rows.append(
            [
                method,
                span,
                f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                f"{srg:.3f}",
            ]
        )
    return rows


def localisation(files: dict[str, Results]) -> list[list[str]]:
    measures = ("rank_accuracy", "auroc")
    rows = [["set, network"]]
    for measure in measures:
        rows[0] += [f"{measure}: best opponent", "magnitude", "map"]
    for name, results in files.items():
        scores = measured(results)
        if measures[0] not in scores["pcim"]:
            continue
        row = [titled(name)]
        for measure in measures:
            known = {method: scores[method][measure] for method in OPPONENTS if method in scores}
            best = max(known, key=known.__getitem__)
            row += [
                f"{known[best]:.3f} ({best})",
                f"{scores['pcim'][measure]:.3f}",
                f"{scores['pcim']['map_localisation'][measure]:.3f}",
            ]
        rows.append(row)
    return rows


def sanity(files: dict[str, Results]) -> list[list[str]]:
    names = [name for name in next(iter(files.values()))["randomisation"] if name != "code"]
    rows = [["set, network", *names]]
    for name, results in files.items():
        values = results["randomisation"]
        rows.append([titled(name), *(f"{np.mean(values[method]):.2f}" for method in names)])
    return rows


def parts(files: dict[str, Results]) -> list[list[str]]:
    keys = ("correlation", "signless correlation", "evidence where it matters")
    rows = [["set, network", "method", *keys]]
    for name, results in files.items():
        report, groups = results["parts"], of_groups(results)
        for method, values in report.items():
            if isinstance(values, dict) and keys[0] in values:
                rows.append(
                    [titled(name), method, *(with_interval(values[key], groups) for key in keys)]
                )
        rows.append([titled(name), "even evidence", "0", "", f"{report['parts that matter']:.3f}"])
    return rows


def with_interval(values: Sequence[float], groups: np.ndarray) -> str:
    known = np.isfinite(np.asarray(values, float))
    array = np.asarray(values, float)[known]
    interval = paired(array, np.zeros(len(array)), groups[known])
    return f"{array.mean():.3f} ({interval['low']:.3f} to {interval['high']:.3f})"


def black_boxes(files: dict[str, Results]) -> list[list[str]]:
    rows = [["set, network", "n", "PCIM", "black box", "share", "black box (fine)", "share"]]
    for name, results in files.items():
        report = results["blackbox"]
        row = [titled(name), str(report["n"]), f"{np.mean(report['pcim']['srg']):.3f}"]
        for method in ("blackbox", "blackbox-sharp"):
            share = report[method]["share_of_pcim"]
            row += [f"{np.mean(report[method]['srg']):.3f}", f"{100 * share:.0f} %"]
        rows.append(row)
    return rows


def speeds(files: dict[str, Results]) -> list[list[str]]:
    rows = [["set, network", "integrated gradients, ms", "first pixels", "first map", "default"]]
    rows[0].append("100 cells together, times faster")
    for name, results in files.items():
        speed: dict[str, Any] = results["speed"]
        row = [titled(name), f"{speed['integrated-gradients ms']:.1f}"]
        text: Callable[[str], str] = lambda way, speed=speed: (  # noqa: E731
            f"{speed[f'{way} ms']:.1f} ms, {speed[f'{way} / integrated-gradients']:.2f} x"
        )
        row += [text(way) for way in ("first pixels", "first map", "pcim")]
        rows.append([*row, f"{speed['one by one / together']:.1f}"])
    return rows


def studies(files: dict[str, Results]) -> list[list[str]]:
    rows = [["set, network", "variant", "SRG", "randomisation"]]
    for name, results in files.items():
        rows += [
            [titled(name), variant, f"{values['srg']:.3f}", f"{values['randomisation']:.2f}"]
            for variant, values in results["study"].items()
            if isinstance(values, dict)
        ]
    return rows
