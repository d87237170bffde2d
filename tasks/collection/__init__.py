"""Collection: an immutable, complete snapshot of every source."""
