"""The same jobs without a window: command line and reports."""
