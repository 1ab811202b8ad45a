"""The docks in napari; the only folder that imports napari or Qt. Importing it imports neither."""
