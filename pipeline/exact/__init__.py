"""Least squares without rounding error: Gram matrix, normal equations, solution, inference.

No files, no settings, no sentences. May import no other room, and neither torch, pyarrow nor
MLflow.
"""
