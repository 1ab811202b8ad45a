"""The sections of the report, a module each: from findings to what the template shows."""
