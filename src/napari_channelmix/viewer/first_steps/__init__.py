"""The way from a sample to an explanation: its steps, and how one looks."""
