"""The workspace: one dock with all pages, a rail to choose one, and what is in hand above it."""
