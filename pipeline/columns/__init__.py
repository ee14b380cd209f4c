"""Kinds of columns: what each learns from the training rows, and what it gives to the model.

May import tables and settings. data/columns.json is a `Plan`.
"""
