"""Benchmarks: every figure stands beside a named baseline that was measured in the same run."""
