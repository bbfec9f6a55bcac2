"""What can be asked: spaces, the columnar table, the benchmark and its split rules, the simulated clock."""
