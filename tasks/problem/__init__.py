"""Problem definition: the file as it was, with every default, fixed for the run."""
