"""The evidence of a day, one module a kind: what was served, what turned out true, what it says."""
