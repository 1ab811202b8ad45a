"""What every page is built on: the base class of pages, and the controls they share."""
