"""Which row belongs to training, validation or the vault; folds and weights."""
