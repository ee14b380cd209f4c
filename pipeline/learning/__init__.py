"""From numbers to a fitted torch module: module, loop, closed form, checkpoints.

May import tables, exact and settings; no DVC, no MLflow.
"""
