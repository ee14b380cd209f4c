"""One function over blocks of rows, wherever the rows and the processors are.

May import columns, tables, exact and settings; torch in gpu_products alone, no MLflow. The bytes of
its results do not depend on how the rows were divided, nor on the order in which the blocks were
finished.
"""
