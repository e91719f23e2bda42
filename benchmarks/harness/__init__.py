# SPDX-License-Identifier: Apache-2.0
"""What `benchmarks/run` is made of; Python's standard library and nothing else."""
