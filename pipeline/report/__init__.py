"""Texts and plots that people read: metrics, coefficients, predictions, plots, card, summary.

May import onnx_model (its contract), learning (the line), tables, exact and settings; no torch, no
MLflow.
"""
