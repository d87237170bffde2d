"""Figures, side by side in one run; never a test, since the machine is shared and noisy."""
