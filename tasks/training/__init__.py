"""Training: the plan becomes a signed bundle."""
