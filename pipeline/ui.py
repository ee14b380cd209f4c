"""What `make ui` does: open `mlflow ui` on the runs, and print the links that matter."""

import argparse
import os
import signal
import socket
import subprocess
import sys

from pipeline import UserError, tracking
from pipeline import params as params_yaml


def main() -> None:
    """Print the links that matter and run `mlflow ui` until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.ui",
        description="Open `mlflow ui` on the repository's runs. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--port", type=int, default=5000, help="the port to serve (5000); 0: any free one"
    )
    port = parser.parse_args().port
    try:
        store = tracking.open_store(params_yaml.load().tracking.experiment)
        if tracking.is_server(store.uri):
            place = store.uri.rstrip("/")
        else:
            port = _free(port)
            place = f"http://127.0.0.1:{port}"
    except UserError as error:
        sys.exit(f"error: {error}")
    table = f"{place}/#/experiments/{store.experiment_id}"
    print(
        f"store        {tracking.shown(store.uri)}\n"
        f"run table    {table}?workflowType=machine_learning\n"
        f"side by side {table}/runs?workflowType=machine_learning&compareRunsMode=CHART",
        flush=True,
    )
    if tracking.is_server(store.uri):
        return  # its pages are there already
    # The model registry's job runners are for other uses; without them it starts in a third of
    # the time and a fraction of the memory.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ.setdefault("PYTHONWARNINGS", "ignore:starlette.middleware.wsgi is deprecated")
    # In a session of its own, because Ctrl-C in the terminal would make it print tracebacks.
    view = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "ui", "--workers", "1"),
            *("--backend-store-uri", store.uri, "--host", "127.0.0.1", "--port", str(port)),
        ],
        start_new_session=True,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(view.wait())
    except KeyboardInterrupt:
        os.killpg(view.pid, signal.SIGTERM)
        view.wait()


def _free(port: int) -> int:
    """The port, or a free one for 0. Raises UserError if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
        except OverflowError:
            raise UserError(f"port {port}: must be 0 to 65535, e.g. `make ui PORT=5001`") from None
        except OSError as error:
            raise UserError(
                f"port {port}: {error.strerror}; `make ui PORT={port + 1}` takes another"
            ) from None


if __name__ == "__main__":
    main()
