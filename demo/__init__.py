"""The outside world: systems that land data and send requests, simulated with real data.

An add-on: nothing of the product needs it; `make demo`, tests and examples do. Data of other
packages are read from the installed package and never copied into this project.
"""
