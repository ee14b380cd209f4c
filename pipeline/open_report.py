"""Program `open_report`: open reports/report.html in the browser, and print where it is.

Reads   reports/report.html
Writes  nothing
"""

import argparse
import os
import sys
import webbrowser

from pipeline.settings import files, runner
from pipeline.settings.errors import UserError


def main() -> None:
    """Print the path of the report, and open it if this machine has a screen."""
    argparse.ArgumentParser(
        prog="python -m pipeline.open_report",
        description="Open reports/report.html in the browser.",
    ).parse_args()
    with runner.program(again="`make report`"):
        path = files.REPORT.absolute()
        if not path.is_file():
            raise UserError(f"{files.REPORT}: there is no such file; `dvc repro` makes it")
        print(path, flush=True)
        if has_screen():
            webbrowser.open(path.as_uri())


def has_screen() -> bool:
    """Return True if a browser has somewhere to show a page.

    On a machine without a screen `webbrowser` would start a browser of texts in the terminal.
    """
    if sys.platform in ("darwin", "win32") or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    main()
