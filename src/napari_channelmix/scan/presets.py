"""How microscopes and programs name their files: a documented template for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from napari_channelmix.errors import DataError
from napari_channelmix.scan.pattern import Pattern
from napari_channelmix.wording import listed, quoted

__all__ = ["PRESETS", "Preset", "pattern_of"]


@dataclass(frozen=True)
class Preset:
    """The style of one microscope or program.

    Attributes
    ----------
    name : str
        As it is chosen: ``--pattern "Opera Phenix"``.
    template : str
        See `Pattern.from_template`.
    example : str
        One name of this style.
    """

    name: str
    template: str
    example: str

    @cached_property
    def pattern(self) -> Pattern:
        """The template as a pattern."""
        made = Pattern.from_template(self.template, f"{self.name} ({self.example})")
        # Ours hold no two parts of any text side by side.
        return Pattern(made.name, made.text, made.expression, made.roles, bounded=False)


PRESETS: tuple[Preset, ...] = (
    Preset(
        "Opera Phenix",
        "r{row:2}c{column:2}f{field:#}p{plane:#}<rc{:#}>-{channel:ch#}sk{time:#}<fk{:#}><fl{:#}>",
        "r01c02f03p01-ch1sk1fk1fl1",
    ),
    Preset(
        "ImageXpress",
        "<{plate:text}_>{well}<_s{field:#}><_t{time:#}><_z{plane:#}>_{channel:w#}<_{:guid}><{:guid}>",
        "plate_A01_s1_w1",
    ),
    Preset(
        "ImageXpress, one channel",
        "<{plate:text}_>{well}_s{field:#}<_{:guid}><{:guid}>",
        "plate_A01_s1",
    ),
    Preset(
        "Yokogawa CellVoyager",
        "<{plate:text}_>{well}_T{time:4}F{field:3}L{:2}A{:2}Z{plane:2}{channel:C#}",
        "plate_A01_T0001F001L01A01Z01C01",
    ),
    Preset(
        "Cellomics ArrayScan",
        "{plate:text}_{well}f{field:#}{channel:d#}",
        "plate_A01f00d0",
    ),
    Preset(
        "Channel and well (SBS)",
        "{channel:Channel#}-{:#}-{row:letter}-{column:#}",
        "Channel1-01-A-01",
    ),
    Preset(
        "InCell",
        "{row:letter} - {column:#}(fld {field:#} wv {channel:text}< z {plane:#}>"
        "< time {time:#} - {:#} ms>)",
        "A - 01(fld 1 wv DAPI - DAPI)",
    ),
    Preset(
        "Operetta, digits",
        "{row:3}{column:3}-{channel:#}-{field:3}{plane:3}{time:3}",
        "001002-1-001001001",
    ),
    Preset(
        "Olympus ScanR",
        "*W{well:#}--P{field:#}--Z{plane:#}--T{time:#}--{channel:text}",
        "W00001--P00001--Z00000--T00000--DAPI",
    ),
    Preset(
        "BioTek Cytation",
        "{well}_{:#}_{:#}_{field:#}_{channel:text}_{time:#}",
        "B2_01_1_1_DAPI_001",
    ),
    Preset(
        "IncuCyte",
        "{plate:text}_{well}_{field:#}_{time:#y#m#d_#h#m}",
        "VID123_B3_1_2021y03m04d_12h00m",
    ),
    Preset(
        "Micro-Manager",
        "<{name:text}_>{channel:channel#}_position{field:#}_time{time:#}_z{plane:#}",
        "img_channel000_position000_time000000000_z000",
    ),
    Preset(
        "Micro-Manager 1.4",
        "img_{time:9}_{channel:text}_{plane:3}",
        "img_000000000_DAPI_000",
    ),
)


def pattern_of(text: str) -> Pattern:
    """A pattern as it is given in one line: a preset, a template, or a regular expression.

    Parameters
    ----------
    text : str

    Raises
    ------
    DataError
        None of them; the line names the presets.

    Examples
    --------
    >>> pattern_of("incell").matches(["A - 01(fld 1 wv DAPI - DAPI).tif"])
    [{'row': 'A', 'column': '01', 'field': '1', 'channel': 'DAPI - DAPI', 'plane': '', 'time': ''}]
    """
    for preset in PRESETS:
        if preset.name.casefold() == text.strip().casefold():
            return preset.pattern
    if "(?P<" in text:
        return Pattern.from_expression(text)
    if "{" in text:
        return Pattern.from_template(text)
    raise DataError(
        f"pattern {quoted(text)}: is no preset, and has no part in braces, such as "
        f"{{well}}_w{{channel}}; presets: {listed((one.name for one in PRESETS), 30)}"
    )
