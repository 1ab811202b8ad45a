"""What the dock 'Latent traversals' is made of."""
