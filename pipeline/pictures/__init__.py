"""Pictures of a fit and of a sweep, and the style and the lettering that they share.

They are drawn from what `measures` has. No torch, no MLflow.
"""
