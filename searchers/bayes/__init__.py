"""Bayesian optimisation over architectures: tree-Wasserstein distances, Gaussian process, acquisition, batches."""
