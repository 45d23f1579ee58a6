"""From a fresh clone to a running portal: what the Makefile calls."""
