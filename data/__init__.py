"""Where numbers come from: the catalogue of known files, download, the safe reader, one module per layout."""
