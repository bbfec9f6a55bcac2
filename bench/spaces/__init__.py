"""Search spaces: one file each, all answering the questions of `space.Space`."""
