"""Answers of a model for the rows of a file that has no target: what `predict` writes."""
