"""One reader a source kind."""
