"""Tables: a person's CSV and Parquet files in, our Parquet files out, in blocks of rows.

May import settings and exact; no torch, no MLflow.
"""
