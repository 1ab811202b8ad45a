"""Parts of the dock 'Report and script': what there is, a config of it, exports, the report."""
