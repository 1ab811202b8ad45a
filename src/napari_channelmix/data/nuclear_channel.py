"""Which channel shows nuclei, told by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["nuclear_channel"]

# Names that say nuclei, best first: fluorescent stains of all DNA, then structures and stains of
# bright field, then fusion proteins, then a stain that dead cells alone may take up.
_RANKS: tuple[frozenset[str], ...] = (
    frozenset({"dna", "dapi", "hoechst", "draq5", "sytox", "nucblue", "topro3", "7aad"}),
    frozenset({"nuclei", "nucleus", "hematoxylin", "haematoxylin", "feulgen", "methylgreen"}),
    frozenset({"h2b", "histone", "histones"}),
    frozenset({"propidium", "pi"}),
)
# Words behind a name that make it a protein, a process or a lipid.
_OTHERS = {
    "dna": {"pk", "pkcs", "damage", "polymerase", "ligase", "repair", "methylation"},
    "pi": {"kinase", "3", "4", "5"},
}
# Numbers may follow these directly: "Hoechst33342", "DAPI405", "DNA2".
_NUMBERED = re.compile(r"(dna|dapi|hoechst|nuclei|nucleus|sytox)\d+")
# "OrigDNA" and "DNAStain" are two words; "cDNA", "mtDNA" and "PI3K" are one.
_HUMP = re.compile(r"(?<=[A-Za-z][a-z]{2})(?=[A-Z])|(?<=[A-Z]{3})(?=[A-Z][a-z])")


def nuclear_channel(names: Iterable[str]) -> str | None:
    """The one channel that is named like a stain of nuclei.

    Whole words count, in any capitals: DNA, DAPI, Hoechst, DRAQ5, SYTOX and the like; then nuclei,
    nucleus, hematoxylin, Feulgen and methyl green; then H2B and histone; then propidium iodide
    (PI). Our definition.

    Parameters
    ----------
    names : iterable of str
        Names of channels.

    Returns
    -------
    str or None
        As it stands in ``names``. None where no name fits, or where two fit equally well.

    Examples
    --------
    >>> nuclear_channel(["ch4-Mito", "ch5-DNA", "ch6-RNA"])
    'ch5-DNA'
    >>> nuclear_channel(["Hoechst 33342", "H2B-GFP"])
    'Hoechst 33342'
    >>> nuclear_channel(["cDNA", "PI3K"]) is None
    True
    >>> nuclear_channel(["DAPI round 1", "DAPI round 2"]) is None
    True
    """
    by_rank: list[list[str]] = [[] for _ in _RANKS]
    for name in names:
        rank = _rank(_words(name))
        if rank is not None:
            by_rank[rank].append(name)
    best = next((fitting for fitting in by_rank if fitting), [])
    return best[0] if len(best) == 1 else None


def _words(name: str) -> list[str]:
    joined = re.sub(r"(?i)\bto-?pro-?3\b", "topro3", name)
    joined = re.sub(r"(?i)\b7-aad\b", "7aad", joined)
    joined = re.sub(r"(?i)methyl[ _-]?green", "methylgreen", joined)
    pieces = re.split(r"[\W_]+", joined)
    return [word for piece in pieces for word in _HUMP.split(piece) if word]


def _rank(words: Sequence[str]) -> int | None:
    ranks = []
    for word, following in zip(words, [*words[1:], ""], strict=False):
        plain = word.lower()
        numbered = _NUMBERED.fullmatch(plain)
        plain = numbered[1] if numbered else plain
        # In small letters it is part of other words and a number.
        if plain == "pi" and word != "PI":
            continue
        if following.lower() in _OTHERS.get(plain, ()):
            continue
        ranks += [rank for rank, known in enumerate(_RANKS) if plain in known]
    return min(ranks, default=None)
