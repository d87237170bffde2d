"""Problem files: found, written, rendered for a cluster, planned."""
