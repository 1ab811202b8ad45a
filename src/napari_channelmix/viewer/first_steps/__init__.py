"""The way from images to an explanation: its steps, and where each one stands."""
