"""Page 'Latents': what a cell is like along named axes."""
