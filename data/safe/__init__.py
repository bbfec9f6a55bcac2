"""The safe reader: pickles as plain data, with an exact list of names and nothing ever executed."""
