"""The ONNX file and its proof: exporter, outputs, contract, golden vectors, checks.

May import learning, tables, exact, settings and the Python client; no MLflow.
"""
