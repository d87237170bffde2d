"""Split: training, validation and hold-out rows."""
