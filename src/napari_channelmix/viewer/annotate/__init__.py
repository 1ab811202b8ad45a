"""The parts of the dock 'Annotate': palette, keys, order, keeping, import."""
