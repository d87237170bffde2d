"""What a column is: role, type, target, leakage."""
