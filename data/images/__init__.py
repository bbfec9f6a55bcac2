"""Image data sets as `Images`: the published ones, scikit-learn's digits, and your own."""
