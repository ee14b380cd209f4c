"""Results in git and DVC: the place of each, its provenance and its files.

Imports no other room than settings; no MLflow, no torch.
"""
