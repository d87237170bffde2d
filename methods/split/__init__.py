"""Training, validation and hold-out rows; folds and weights."""
