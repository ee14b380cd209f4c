"""MLflow, git and DVC's results: the live run, the store, completing, replaying, looking up.

The only room that imports MLflow. May import report and settings; no torch.
"""
