"""Page 'Pixels': which pixels of a cell made the classifier call it that."""
