"""What is measured of a fitted model: its errors, its coefficients, and what is wrong with the fit.

No words of the card or the report, no pictures, no torch, no MLflow.
"""
