"""What if: a classifier asked about real cells that were changed on purpose.

Named edits of a cell's own pixels (`axes`), each held against a sham; what they do to the
classifier's answer. Our definition: see docs/what-if.md.
"""
