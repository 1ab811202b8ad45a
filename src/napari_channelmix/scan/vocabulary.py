"""Words that file names hold: stains, parts of a split, controls, and letters before numbers."""

from __future__ import annotations

import re
from functools import lru_cache

from napari_channelmix.scan.layout import SPLITS
from napari_channelmix.scan.roles import Role

__all__ = [
    "PREFIXES",
    "dose_like",
    "is_certain_channel",
    "is_channel",
    "is_class",
    "is_date",
    "is_guid",
    "is_split",
    "prefixed",
    "protected",
    "restored",
]

# What letters before a number say. Letters that are also rows of wells are looked at in context.
PREFIXES: dict[str, Role] = {
    **dict.fromkeys(("s", "site", "f", "fld", "field", "fov", "pos", "position"), Role.FIELD),
    **dict.fromkeys(("xy", "tile", "scene", "view", "series"), Role.FIELD),
    **dict.fromkeys(("z", "zstep", "slice", "plane", "zplane"), Role.PLANE),
    **dict.fromkeys(("t", "time", "timepoint", "tp", "frame"), Role.TIME),
    **dict.fromkeys(("w", "c", "ch", "channel", "wv", "chan", "wave"), Role.CHANNEL),
    **dict.fromkeys(("kanal", "farbe", "canal", "kanaal", "canale"), Role.CHANNEL),
    **dict.fromkeys(("feld", "champ", "campo", "veld"), Role.FIELD),
    **dict.fromkeys(("platte", "plaque"), Role.PLATE),
    **dict.fromkeys(("ebene",), Role.PLANE),
    **dict.fromkeys(("zeit", "temps"), Role.TIME),
    **dict.fromkeys(("plate", "plt", "barcode"), Role.PLATE),
    **dict.fromkeys(("donor", "patient", "subject", "mouse", "animal"), Role.GROUP),
    **dict.fromkeys(("r", "row"), Role.WELL_ROW),
    **dict.fromkeys(("col", "column"), Role.WELL_COLUMN),
}

_CHANNELS = re.compile(
    r"""(?:
    dapi | hoechst | dna | nucle(?:i|us|ar) | draq[ ]?\d | sytox\w* | syto[ ]?\d* | topro\d?
    | (?:e|s|sf|a)?gfp | (?:e|m|t)?rfp | (?:e|s|m)?cfp | (?:e|s|m)?yfp | m?cherry | tdtomato
    | m?(?:scarlet|venus|citrine|turquoise\d?|neongreen|orange|kate\d?)
    | fitc | tritc | rhodamine | cy[ ]?\d(?:\.\d)? | texas[ ]?red
    | (?:alexa|af|atto|a)(?:[ ]?fluor)?[ ]?\d{3}
    | (?:405|488|555|561|568|594|633|640|647)(?:nm)?
    | bf | bright[ ]?field | phase(?:[ ]?contrast)? | dic | trans(?:mitted)?(?:[ ]?light)? | td
    | dark[ ]?field | er | agp | mito(?:tracker\w*)? | rna | f?-?actin | phalloidin
    | (?:(?:alpha|beta|a|b)[- ])?tubulin | lamin\w* | golgi | lyso(?:tracker)? | membrane | wga
    | con[ ]?a | concanavalin\w* | tomm?20 | lipid\w* | bodipy | edu | brdu | ki-?67 | h2b
    | g?h2ax | p53 | pi | propidium\w* | calcein | annexin\w* | cd\d+\w? | ck\w? | panck | her2
    | foxp3 | yellow | cyan | magenta | pd-?l?1 | vimentin | e-?cadherin
    | (?:far[ ]?)?red | green | blue | uv | gr[ea]y
    )(?:[ ]?\d{1,5})?""",
    re.VERBOSE | re.IGNORECASE,
)
# Stains and reporters whose names mean nothing else: one of them tells that a part is the channel.
_CERTAIN = re.compile(
    r"""(?:dapi|hoechst|e?gfp|rfp|mcherry|yfp|cfp|fitc|tritc|cy[357]|draq5|sytox\w*|phalloidin
    |texas[ ]?red|alexa(?:[ ]?fluor)?[ ]?\d{3}|bright[ ]?field)(?:[ ]?\d{1,5})?""",
    re.VERBOSE | re.IGNORECASE,
)
# Names of stains that hold a separator, dates, and numbers with a unit: each is one part.
_ONE_PART = re.compile(
    r"""(?:alexa(?:[ _-]?fluor)?|hoechst|atto|cy|af|draq)[ _-]\d{1,5}(?![\d])
    | texas[ _-]red | bright[ _-]field | far[ _-]red | phase[ _-]contrast | transmitted[ _-]light
    | (?:alpha|beta|[ab])-tubulin | f-actin | e-cadherin | ki-67 | con[ _-]a(?![a-z0-9])
    | (?<![^\W_])(?:field|site|fov|fld|position|pos|series|scene|tile|time|timepoint|frame|plane
        |slice|channel|plate|zstep|donor|patient|mouse|animal|well|z
        |feld|champ|campo|veld|kanal|farbe|canal|kanaal|canale|platte|plaque|ebene|zeit|temps
        )[ _-](?=\d)
    | (?<![^\W_])(?:c|z|t|ch|s|channel)=(?=\d)
    | (?<!\d)(?:19|20)\d\d[-_.]\d\d[-_.]\d\d(?!\d)
    | \d+[.,]\d+[ ]?(?=[nupmµμ]?[mg](?:[ _.-]|$)) | (?<![\d.,])\d+[ ](?=[nupmµμ]m(?:[ _.-]|$))
    | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}""",
    re.VERBOSE | re.IGNORECASE,
)
# `nM` is a concentration; `nm` is a wavelength or a length.
_DOSE = re.compile(
    r"\d+(?:[.,p]\d+)?[ _]?(?:[fpnuµμm]?M|[npuµμm]?g(?:[ _]?/?[ _]?[mu]?[lL])?|%|pct|Gy)"
)
_GUID = re.compile(r"[0-9A-F]{8}-?(?:[0-9A-F]{4}-?){3}[0-9A-F]{12}", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])")
_PREFIXED = re.compile(r"([^\W\d_]+)[ ]?(\d+)")
_CLASSES = frozenset(
    (
        "ctrl",
        "ctl",
        "control",
        "controls",
        "untreated",
        "treated",
        "mock",
        "vehicle",
        "dmso",
        "pbs",
        "drug",
        "compound",
        "neg",
        "negative",
        "pos",
        "positive",
        "negcon",
        "poscon",
        "wt",
        "wildtype",
        "ko",
        "mut",
        "mutant",
        "knockout",
        "live",
        "dead",
        "alive",
        "healthy",
        "disease",
        "diseased",
        "tumor",
        "tumour",
        "normal",
        "cancer",
        "benign",
        "malignant",
        "infected",
        "uninfected",
        "stimulated",
        "unstimulated",
        "resting",
        "activated",
        "mitotic",
        "interphase",
        "apoptotic",
    )
)
_SIGNS = {"=": "\ue005", "_": "\ue000", "-": "\ue001", ".": "\ue002", ",": "\ue003", " ": "\ue004"}
_APART = str.maketrans(_SIGNS)
_BACK = str.maketrans({sign: text for text, sign in _SIGNS.items()})


def is_channel(text: str) -> bool:
    """Whether a text is the name of a stain, a reporter or a kind of light."""
    return _CHANNELS.fullmatch(re.sub(r"[ _-]+", " ", text.strip())) is not None


def is_certain_channel(text: str) -> bool:
    """Whether a text is the name of a stain or reporter and of nothing else: ``DAPI``."""
    return _CERTAIN.fullmatch(re.sub(r"[ _-]+", " ", text.strip())) is not None


def is_split(text: str) -> bool:
    """Whether a text names a part of a split: train, validation, test."""
    return text.strip().casefold() in SPLITS


def is_class(text: str) -> bool:
    """Whether a text is a usual name of a condition."""
    words = re.split(r"[ _-]+", text.strip().casefold())
    return bool(words) and words[0] in _CLASSES


def is_guid(text: str) -> bool:
    """Whether a text is an identifier that a program drew."""
    return _GUID.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Whether a text is a day of this or the last century: ``2024-01-15``, ``20240115``."""
    return _DATE.fullmatch(text) is not None


def dose_like(text: str) -> bool:
    """Whether a text is a number with a unit of concentration: ``10nM``, ``0.5 uM``."""
    return _DOSE.fullmatch(text.strip()) is not None


@lru_cache(2**16)
def prefixed(text: str) -> tuple[str, str] | None:
    """Letters and the number that follows them: ``TimePoint_1``, ``s01``."""
    match = _PREFIXED.fullmatch(re.sub(r"[_\s=-]+", " ", text.strip()))
    return None if match is None else (match[1].casefold(), match[2])


def protected(stem: str) -> str:
    """A name in which separators within one part (``Alexa_488``) are no separators."""
    return _ONE_PART.sub(lambda match: match[0].translate(_APART), stem)


def restored(text: str) -> str:
    """The text of a part as the name has it."""
    return text.translate(_BACK)
