"""Real training: images, networks, recipes, populations; PyTorch is imported by the modules that train only."""
