"""Run jobs in worker threads, and show how far they are."""
