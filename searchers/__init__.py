"""Which architecture next: searchers, and the runner that compares them."""
