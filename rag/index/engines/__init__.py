"""One module a vector engine."""
