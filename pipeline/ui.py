"""Program `ui`: open `mlflow ui` on the repository's runs, and print the links worth opening.

Reads   params.yaml, and every result in git and in DVC's cache
Writes  the runs that the tracking store lacks, and the view of its page
"""

import argparse
import sys
import webbrowser

from pipeline.settings import params as params_yaml
from pipeline.settings import runner
from pipeline.tracking import page_server, view
from pipeline.tracking.replay import replay_missing
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.store_address import is_server, page_address


def main() -> None:
    """Run `mlflow ui` until Ctrl-C; print the links as soon as they work."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.ui",
        description="Open `mlflow ui` on the repository's runs. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--port", default="5000", help="the port to serve on 127.0.0.1 (5000); 0: any free one"
    )
    port = parser.parse_args().port
    with runner.program(again="`make ui`"):
        settings = params_yaml.load().tracking
        lines, _ = replay_missing(settings)
        for line in lines:
            print(line)
        store = open_store(settings.experiment)
        if is_server(store.uri):  # it serves its page already
            print(view.links(store, page_address(store.uri)))
            return
        _serve(store, page_server.free_port(port))


def _serve(store: Store, port: int) -> None:
    try:
        with page_server.running(store.uri, port) as server:
            if server.returncode is None:
                print(view.links(store, page_server.url(port)))
                if not _has_browser():
                    here = f"{port}:127.0.0.1:{port}"
                    print(f"no browser on this machine; on yours: ssh -N -L {here} HOST")
                print("Ctrl-C ends it", flush=True)
            sys.exit(server.wait())
    except KeyboardInterrupt:
        return


def _has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


if __name__ == "__main__":
    main()
