"""Which cell is selected, clicked or shown: one selection for pages, layers and tables."""
