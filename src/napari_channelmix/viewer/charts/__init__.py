"""Charts, thumbnails and colours that several pages draw with."""
