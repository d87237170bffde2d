"""How a column of each role becomes numbers: one module a kind of column."""
