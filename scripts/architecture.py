"""Measure the house: imports between packages, levels, circles, long modules, lines.

    python scripts/architecture.py                   # print the table of this checkout
    python scripts/architecture.py --source DIR      # of another checkout's src folder
    python scripts/architecture.py --write           # write the generated parts of docs/

The generated parts of docs/architecture.md and docs/modules.md stand between two comments;
`tests/test_architecture.py` fails where they are no longer true.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import grimp
import networkx as nx

PACKAGE = "napari_channelmix"
VIEWER = f"{PACKAGE}.viewer"
ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURE, MODULES = ROOT / "docs" / "architecture.md", ROOT / "docs" / "modules.md"


@dataclass(frozen=True)
class Measures:
    """Figures of one source tree.

    A unit of the viewer is a package or a loose module directly below ``viewer/``; each page counts
    as a unit of its own. Imports inside functions and under ``TYPE_CHECKING`` count, but for
    ``run_time_circles``, which leaves the latter out.
    """

    #: Units of the viewer, and how many of them are loose modules.
    units: int
    loose: int
    #: Pairs of units of which the first imports the second.
    imports: int
    #: Units on the longest way of imports downwards, circles drawn together.
    levels: int
    #: Groups of units, and of modules of the whole package, that import each other in circles.
    unit_circles: int
    module_circles: int
    run_time_circles: int
    #: Pages that another page imports.
    page_imports: int
    longest: str
    longest_lines: int
    over_450: int
    viewer_lines: int
    lines: int


ROWS = {
    "units": "packages and loose modules of viewer/",
    "loose": "loose modules among them",
    "imports": "imports between them (pairs)",
    "levels": "levels",
    "unit_circles": "circles between them",
    "page_imports": "pages that import another page",
    "run_time_circles": "circles of modules, whole package, at run time",
    "module_circles": "the same with imports for type checking",
    "longest_lines": "lines of the longest module",
    "over_450": "modules of more than 450 lines",
    "viewer_lines": "lines of viewer/",
    "lines": "lines of the package",
}


def unit_of(module: str) -> str | None:
    """The unit of the viewer that a module belongs to; None outside the viewer."""
    parts = module.removeprefix(f"{VIEWER}.").split(".")
    if not module.startswith(f"{VIEWER}."):
        return None
    return ".".join(parts[:2]) if parts[0] == "pages" and len(parts) > 1 else parts[0]


def graph_of(type_checking: bool) -> nx.DiGraph:
    """Modules of the package that can be imported, and their imports of each other."""
    imports = grimp.build_graph(
        PACKAGE, exclude_type_checking_imports=not type_checking, cache_dir=None
    )
    graph = nx.DiGraph()
    graph.add_nodes_from(imports.modules)
    for module in imports.modules:
        graph.add_edges_from(
            (module, other) for other in imports.find_modules_directly_imported_by(module)
        )
    return graph


def circles(graph: nx.DiGraph) -> list[list[str]]:
    """Groups of two or more nodes that lead back to each other, the largest first."""
    groups = (sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1)
    return sorted(groups, key=len, reverse=True)


def measure(folder: Path) -> Measures:
    """The figures of the package in ``folder``, which must be the one that Python imports."""
    modules = graph_of(type_checking=True)
    units = nx.DiGraph()
    for module in modules:
        # The package itself, and that of the pages, hold nothing.
        if unit_of(module) not in {None, "pages"}:
            units.add_node(unit_of(module))
    for importer, imported in modules.edges:
        pair = unit_of(importer), unit_of(imported)
        if None not in pair and pair[0] != pair[1] and "pages" not in pair:
            units.add_edge(*pair)
    files = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in folder.rglob("*.py")
    }
    longest = max(files, key=lambda path: files[path])
    viewer = {path for path in files if path.is_relative_to(folder / "viewer")}
    pages = {unit for unit in units if unit.startswith("pages.") or unit.endswith("_dock")}
    return Measures(
        units=len(units),
        loose=sum((folder / "viewer" / f"{unit}.py").exists() for unit in units),
        imports=units.number_of_edges(),
        levels=nx.dag_longest_path_length(nx.condensation(units)) + 1,
        unit_circles=len(circles(units)),
        module_circles=len(circles(modules)),
        run_time_circles=len(circles(graph_of(type_checking=False))),
        page_imports=len({b for a, b in units.edges if a in pages and b in pages}),
        longest=longest.relative_to(folder).as_posix(),
        longest_lines=files[longest],
        over_450=sum(count > 450 for count in files.values()),
        viewer_lines=sum(files[path] for path in viewer),
        lines=sum(files.values()),
    )


def table(columns: dict[str, Measures]) -> str:
    """The figures as a table in Markdown, a column for each tree."""
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name, title in ROWS.items():
        cells = []
        for measures in columns.values():
            value = f"{getattr(measures, name):,}"
            cells.append(f"{value} in {measures.longest}" if name == "longest_lines" else value)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def module_index(folder: Path) -> str:
    """Each module with the first line of its docstring, a heading for each package."""
    lines: list[str] = []
    packages = sorted({path.parent for path in folder.rglob("*.py")})
    for package in packages:
        name = package.relative_to(folder).as_posix()
        lines += ["", f"## {'Top level' if name == '.' else f'{name}/'}", ""]
        lines += [_summary(package / "__init__.py"), ""]
        lines += [
            f"- `{path.stem}`: {_summary(path)}"
            for path in sorted(package.glob("*.py"))
            if path.name != "__init__.py"
        ]
    return "\n".join(lines).strip()


def _summary(path: Path) -> str:
    """First sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").strip()


def replaced(text: str, name: str, part: str) -> str:
    """``text`` with the part between the comments of ``name`` replaced.

    Raises
    ------
    ValueError
        The comments are not there.
    """
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no {start!r} in the text")
    return pattern.sub(lambda _: f"{start}\n\n{part}\n\n{end}", text)


def before() -> Measures:
    """The figures of the tree before the rebuild, as they were measured by this script."""
    stored = json.loads((ROOT / "scripts" / "architecture_before.json").read_text(encoding="utf-8"))
    return Measures(**stored)


def generated(folder: Path) -> dict[Path, str]:
    """The documents with their generated parts made anew."""
    columns = {"before": before(), "now": measure(folder)}
    architecture = ARCHITECTURE.read_text(encoding="utf-8")
    modules = MODULES.read_text(encoding="utf-8")
    return {
        ARCHITECTURE: replaced(architecture, "measures", table(columns)),
        MODULES: replaced(modules, "index", module_index(folder)),
    }


def main(args: list[str] | None = None) -> None:
    """Print or write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, default=ROOT / "src", help="a src folder")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--circles", action="store_true", help="list the circles of modules")
    parser.add_argument("--write", action="store_true", help="write the generated parts of docs/")
    chosen = parser.parse_args(args)
    sys.path.insert(0, str(chosen.source))
    folder = chosen.source / PACKAGE
    if chosen.write:
        for path, text in generated(folder).items():
            path.write_text(text, encoding="utf-8")
    elif chosen.circles:
        for group in circles(graph_of(type_checking=True)):
            print(*group, sep="\n  ")
    elif chosen.json:
        print(json.dumps(asdict(measure(folder)), indent=2))
    else:
        print(table({"now": measure(folder)}))


if __name__ == "__main__":
    main()
