"""The pages of the workspace, a package each. No page imports another."""
