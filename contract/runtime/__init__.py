"""A task's process: command line, manifest, exit code."""
