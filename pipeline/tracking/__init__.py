"""MLflow: the live run, the store, completing a run, replaying results, looking runs up.

The only room that imports MLflow. May import results, report and settings; no torch.
"""
