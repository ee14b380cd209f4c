"""Results in git and DVC: the commit, experiment or folder of each, its provenance and its files.

May import settings alone; no MLflow, no torch.
"""
