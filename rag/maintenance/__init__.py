"""Looking after a library as a whole."""
