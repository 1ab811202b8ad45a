"""Page 'Annotate': give cells classes by brush, keys or table."""
