"""What people read: card, report.html, summary, and the pages of a sweep and of a comparison.

All is made from the files of a result, `measures` and `pictures`. No torch, no MLflow.
"""
