"""The store: layout, documents, conditional writes, ledger."""
