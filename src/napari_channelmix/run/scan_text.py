"""What a scan understood, as a terminal shows it and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from napari_channelmix.scan import Role
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.scan import Choice, Scan

__all__ = ["scan_content", "scan_text"]

SCHEMA = "napari-channelmix/scan/1"
# Files that were left out and are named without --verbose, values of a column, rows of the table.
FEW, VALUES, ROWS = 5, 6, 3
# Roles whose values are listed, and the words for them.
_COUNTED = {
    Role.PLATE: "plate",
    Role.WELL: "well",
    Role.FIELD: "field",
    Role.TIME: "time",
    Role.PLANE: "plane",
    Role.DOSE: "dose",
    Role.CLASS: "class",
    Role.SPLIT: "split",
    Role.GROUP: "group",
}


def scan_text(scan: Scan, *, verbose: bool = False) -> str:
    """What was understood, what is open and how it is answered, and what was left out.

    Parameters
    ----------
    verbose : bool
        Name all files that were left out, and show rows of the table.
    """
    table = scan.table()
    lines = [f"{scan.source}: {scan.style}"]
    shown = [
        name if name == files else f"{files} = {name}" for files, name in scan.channels.items()
    ]
    rows = [("rows", f"{len(table):,}"), ("channels", f"{len(shown)}: {listed(shown, 20)}")]
    for role, word in _COUNTED.items():
        for column in _columns(scan, role):
            rows.append((word, _values_text(table[column])))
    if _columns(scan, Role.WELL_ROW) and "well" in table:
        rows.append(("well", _values_text(table["well"])))
    width = max(len(name) for name, _ in rows)
    lines += [f"  {name:<{width}}  {text}" for name, text in rows]
    if verbose and len(table):
        lines += ["", table.head(ROWS).to_string(index=False)]
    lines += [f"note: {note}" for note in scan.notes]
    lines += _left_out(scan, verbose=verbose)
    open_ones = [choice for choice in scan.choices if choice.chosen is None]
    given = {**(scan.settings.choices or {}), **(scan.settings.roles or {})}
    settled = [one for one in scan.choices if one.chosen is not None and one.name not in given]
    if settled:
        lines += ["", "taken, unless you say otherwise:"]
        lines += [
            f"  {_as_option(choice, str(choice.chosen))}  ({choice.text})" for choice in settled
        ]
    for choice in open_ones:
        lines += ["", f"question: {choice.text}"]
        lines += [f"  {_as_option(choice, option)}" for option in choice.options]
    rest = [problem for problem in scan.problems if not _asks(problem, open_ones)]
    lines += ["", *(f"problem: {problem}" for problem in rest)] if rest else []
    return "\n".join(lines)


def _values_text(column: Iterable[object]) -> str:
    """How many values a column has, and the first; rows without one are counted, no value."""
    every = [str(value) for value in column]
    values = list(dict.fromkeys(value for value in every if value.strip()))
    none = sum(not value.strip() for value in every)
    text = f"{len(values):,}: {listed(values, VALUES)}" if values else "0"
    return f"{text} ({counted(none, 'row')} without)" if none else text


def _columns(scan: Scan, role: Role) -> list[str]:
    table = scan.table()
    return [name for name, its in scan.roles.items() if its is role and name in table]


def _asks(problem: str, choices: Iterable[Choice]) -> bool:
    return any(problem.startswith(choice.text.rstrip("?")) for choice in choices)


def _as_option(choice: Choice, option: str) -> str:
    text = f"{choice.name}={option}"
    return f'--choose "{text}"' if " " in text else f"--choose {text}"


def _left_out(scan: Scan, *, verbose: bool) -> list[str]:
    """Files that were left out: each, or how many for each reason with the first ones."""
    if not scan.left_out:
        return []
    lines = [f"left out: {counted(len(scan.left_out), 'file')}"]
    if verbose:
        return lines + [f"  {one.path}: {one.reason}" for one in scan.left_out]
    reasons = Counter(one.reason for one in scan.left_out)
    for reason, count in reasons.most_common(FEW):
        first = next(one.path for one in scan.left_out if one.reason == reason)
        lines.append(f"  {count:,}: {reason} ({first}{', ...' if count > 1 else ''})")
    if len(reasons) > FEW:
        lines.append(f"  and {len(reasons) - FEW} more reasons; --verbose names all")
    return lines


def scan_content(scan: Scan, saved: Path | None) -> dict[str, Any]:
    """The scan for other programs."""
    return {
        "schema": SCHEMA,
        "source": str(scan.source),
        "style": scan.style,
        "rows": len(scan.table()),
        "channels": dict(scan.channels),
        "roles": {name: str(role) for name, role in scan.roles.items()},
        "choices": [
            {
                "name": choice.name,
                "text": choice.text,
                "options": list(choice.options),
                "chosen": choice.chosen,
            }
            for choice in scan.choices
        ],
        "left_out": [{"path": one.path, "reason": one.reason} for one in scan.left_out],
        "notes": list(scan.notes),
        "problems": list(scan.problems),
        "description": scan.description(),
        "saved": None if saved is None else str(saved),
    }
