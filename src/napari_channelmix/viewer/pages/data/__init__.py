"""Page 'Data': open images and data sets, and say what a cell is."""
