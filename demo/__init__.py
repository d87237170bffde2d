"""The world outside: systems that land data and send requests, played on real data.

Nothing of the product needs this room; `make demo`, tests and examples do. Data of other people's
packages is read from the installed package and never copied into this project.
"""
