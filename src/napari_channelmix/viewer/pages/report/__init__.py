"""Page 'Report': exports, report and script of what was done."""
