"""Sessions of onnxruntime, as the checks use them."""

import onnxruntime
from onnxruntime import GraphOptimizationLevel, InferenceSession


def opened(content: bytes, level: GraphOptimizationLevel | None = None) -> InferenceSession:
    """Open an ONNX file, given by its bytes; level: of graph optimisation, None for the usual one.

    Raises one of onnxruntime's exceptions, which have no base class of their own.
    """
    options = onnxruntime.SessionOptions()
    if level is not None:
        options.graph_optimization_level = level
    options.log_severity_level = 4  # no log: a failure is an exception, which a check reports
    # The threads of one session, waiting busily, took three quarters of the others' time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # each session keeps its largest batch in it
    return InferenceSession(content, options, ["CPUExecutionProvider"])
