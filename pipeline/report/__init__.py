"""Texts and plots that people read: metrics, coefficients, predictions, plots, card, summary.

May import onnx_model (its contract), learning.linear, tables, exact and settings; no torch, no
MLflow.
"""
