"""Official files -> columns: one module per layout."""
