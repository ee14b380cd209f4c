"""The keys of params.yaml: a class for each section and for each setting that is a mapping.

What a key may be is here, with its meaning; whether two keys contradict each other is told by the
modules called contradictions, one room above. Imports nothing but what checks values.
"""
