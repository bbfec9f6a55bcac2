"""The live wing: the benchmarks' networks, faithful training, verification and tables of one's own (needs PyTorch)."""
