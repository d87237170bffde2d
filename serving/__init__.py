"""The model service of one problem: one process, one model by digest, one prediction log.

It imports `contract` and `bundle` and holds no feature code: what a column becomes is the
bundle's own business.
"""
