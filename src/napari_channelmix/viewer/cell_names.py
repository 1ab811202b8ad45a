"""What a cell is called in the window; see `data.cell_names`."""

from napari_channelmix.data.cell_names import cell_name

__all__ = ["cell_name"]
