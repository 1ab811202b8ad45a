import sys
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.errors import DataError

Sizes = namedtuple("Sizes", "Z Y X")


class Reader:
    """What readers of bioio offer, with pixels that tell scene and channel."""

    scenes = ("Position 1", "Position 2")

    def __init__(self, path, **options):
        self.path, self.place, self.options = path, 0, options

    def set_scene(self, place):
        self.place = place

    @property
    def xarray_dask_data(self):
        import dask.array as da

        pixels = np.zeros((1, 2, 1, 31, 47), np.uint16)
        pixels[:, 1] = 100
        data = da.from_array(pixels + 10 * self.place, chunks=(1, 1, 1, 31, 47))
        return SimpleNamespace(
            dims=tuple("TCZYX"), shape=pixels.shape, dtype=pixels.dtype, data=data
        )

    @property
    def shape(self):
        return (1, 2, 1, 31, 47)

    channel_names = ("DNA", "GFP")
    physical_pixel_sizes = Sizes(None, 0.65, 0.325)


@pytest.fixture
def nikon(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bioio_nd2", SimpleNamespace(Reader=Reader))
    path = tmp_path / "a.nd2"
    path.write_bytes(b"\xda\xce\xbe\n")
    return path


def test_axes_channels_and_pixel_size_come_from_the_reader(nikon):
    file = open_image(nikon, scene="Position 2")
    assert (file.axes, file.shape) == ("CYX", (2, 31, 47))
    assert file.channels == ("DNA", "GFP")
    assert (file.pixel_size, file.unit) == ((0.65, 0.325), "µm")
    planes = file.planes(None)
    assert [int(plane[3:4, 4:5][0, 0]) for plane in planes] == [
        10,
        110,
    ]


def test_of_several_scenes_one_has_to_be_chosen(nikon):
    with pytest.raises(DataError, match=r"2 scenes: 0 'Position 1' .*choose one"):
        open_image(nikon)


def test_tiles_that_are_not_joined_are_refused(nikon, monkeypatch):
    tiles = SimpleNamespace(dims=tuple("MYX"), shape=(4, 31, 47), dtype=np.dtype("u2"), data=None)
    monkeypatch.setattr(Reader, "xarray_dask_data", tiles)
    with pytest.raises(DataError, match="holds 4 tiles of a mosaic"):
        open_image(nikon, scene=0)


def test_what_the_reader_raises_is_one_line(nikon, monkeypatch):
    def broken(self, path, **options):
        raise KeyError("chunk\nmap")

    monkeypatch.setattr(Reader, "__init__", broken)
    with pytest.raises(DataError, match=r"a\.nd2: cannot be read") as caught:
        open_image(nikon)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["czi", "nd2", "lif"])
def test_without_its_reader_the_line_says_which_command_installs_it(tmp_path, monkeypatch, suffix):
    monkeypatch.setitem(sys.modules, f"bioio_{suffix}", None)
    path = tmp_path / f"a.{suffix.upper()}"
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=rf"pip install 'napari-channelmix\[{suffix}\]'"):
        open_image(path)


@pytest.mark.parametrize("suffix", ["vsi", "oib", "mrxs", "ims"])
def test_what_nothing_reads_says_how_to_convert_it(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=rf"bfconvert a\.{suffix} a\.ome\.tif"):
        open_image(path)


def test_a_czi_of_zeiss_own_library_is_read(tmp_path):
    czi = pytest.importorskip("pylibCZIrw.czi", reason="the extra 'czi' is not installed")
    pytest.importorskip("bioio_czi", reason="the extra 'czi' is not installed")
    pixels = np.random.default_rng(0).integers(0, 4000, (2, 61, 83)).astype(np.uint16)
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        for channel in range(2):
            file.write(data=pixels[channel][..., None], plane={"C": channel})
        file.write_metadata(
            "a", channel_names={0: "DNA", 1: "GFP"}, scale_x=0.325e-6, scale_y=0.65e-6
        )
    opened = open_image(tmp_path / "a.czi")
    assert opened.axes == "CYX"
    assert opened.channels == ("DNA", "GFP")
    assert opened.pixel_size == pytest.approx((0.65, 0.325))
    planes = opened.planes(None)
    for plane, expected in zip(planes, pixels, strict=True):
        assert np.array_equal(plane[5:40, 7:83], expected[5:40, 7:83])


def test_a_slide_of_a_scanner_is_a_tiff_with_small_pictures_beside(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    path = tmp_path / "slide.svs"
    text = "Aperio Image Library v12.0.15\r\n300x200 [0,0 300x200] (64x64) |AppMag = 20|MPP = 0.5"
    with tifffile.TiffWriter(path) as file:
        file.write(pixels, tile=(64, 64), photometric="rgb", description=text, metadata=None)
        file.write(pixels[::4, ::4], photometric="rgb", description=text, metadata=None)
    opened = open_image(path)
    assert opened.shape == (200, 300, 3)
    assert any("thumbnail" in warning for warning in opened.warnings)
