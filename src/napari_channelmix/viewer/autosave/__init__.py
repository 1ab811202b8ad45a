"""Annotations are saved every few seconds, and restored when the same data set is opened."""
