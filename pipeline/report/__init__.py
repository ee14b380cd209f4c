"""What people read: metrics, coefficients, answers, plots, the model card, the summary.

May import onnx_model (its contract), tables, exact and settings; no torch, no MLflow.
"""
