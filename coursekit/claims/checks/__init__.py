"""One module per section of the book; each function measures one claim of the ledger."""
