"""`perennial demo`: a scenario on real data, each step verified by what the platform says of it.

An add-on of the command: it uses `contract` and `perennial`, and nothing of the product imports it.
"""
