"""A canary: its steps, what its pods answered, and whether it is as good as the champion."""
