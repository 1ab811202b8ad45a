"""The report of a planted tissue, as pages of A4 that can be looked at: `print_report.py FOLDER`.

Makes a planted tissue of seven cell types (`multiplex_sample`), a classifier, channel importance,
the channels of the classifier by class, and maps of some cells, all by the commands; then the page.
A browser prints it (chromium or google-chrome), pdftoppm makes a picture of each page; where there
are none, that is said and the report is left. What is in the folder already is not made again.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Pixels of a page for an inch.
DPI = 80


def command(*words: object) -> None:
    """One command of the command line; a wrong end ends all."""
    from napari_channelmix.run.cli import main as run

    if run([str(word) for word in words]):
        raise SystemExit(f"failed: {' '.join(map(str, words))}")


def made(folder: Path, cells: int, channels: int) -> Path:
    """The report of a planted tissue, and all that is in it."""
    import napari_channelmix as cm

    data = folder / "data" / "dataset.toml"
    if not data.exists():
        cm.multiplex_sample(folder / "data", cells=cells, channels=channels)
    model, drop = folder / "model.cmx", ("--drop-channels", "Blank")
    if not model.exists():
        command("train", data, "--out", model, "--epochs", 10, *drop)
    importance = folder / "importance"
    if not (importance / "importance.json").exists():
        few = ("--seeds", 2, "--epochs", 6, "--no-shapley")
        command("importance", data, "--out", importance, *few, *drop)
    what_if = folder / "whatif"
    if not what_if.exists():
        axes = ("--axes", "CD3 brightness", "FOXP3 brightness", "PANCK brightness", "size")
        command("whatif", data, "--model", model, "--out", what_if, "--channels", *axes, *drop)
    explained = folder / "explain"
    if not explained.exists():
        maps = ("--channels", "separate", "--limit", 12)
        command("explain", data, "--model", model, "--out", explained, *maps)
    page = folder / "report.html"
    results = ("--importance", importance, "--whatif", what_if, "--explain", explained)
    command("report", data, "--out", page, "--model", model, *results, *drop)
    return page


def printed(page: Path, folder: Path) -> list[Path]:
    """The page printed as PDF, and a picture of each of its sheets; empty without a browser."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        print(f"no browser prints {page}: none of {', '.join(BROWSERS)} is installed")
        return []
    sheets = folder / "report.pdf"
    quietly = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer")
    subprocess.run(
        [browser, *quietly, f"--print-to-pdf={sheets}", page.resolve().as_uri()],
        check=True,
        capture_output=True,
    )
    pictures = shutil.which("pdftoppm")
    if pictures is None:
        print("pdftoppm is not installed: no pictures of the pages")
        return []
    for old in folder.glob("page-*.png"):
        old.unlink()
    subprocess.run([pictures, "-r", str(DPI), "-png", sheets, folder / "page"], check=True)
    return sorted(folder.glob("page-*.png"))


def main(folder: Path, cells: int, channels: int) -> int:
    """Make it, print it, and say where it is."""
    import torch

    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    page = made(folder, cells, channels)
    pages = printed(page, folder)
    print(f"{page}: {len(pages)} pages of A4 as pictures")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--channels", type=int, default=40)
    args = parser.parse_args()
    sys.exit(main(args.folder, args.cells, args.channels))
