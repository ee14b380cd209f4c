"""Arithmetic without rounding error: Gram matrix, normal equations, least squares.

May import no other room, and neither torch, pyarrow nor MLflow.
"""
