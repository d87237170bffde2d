"""A module a subcommand; each holds `command`. They speak, and leave the work to other modules."""
