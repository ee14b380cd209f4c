"""Size of reports/report.html: of the tutorial's job, and of a table of 30 columns.

The columns have long names, English and Chinese, and some that would be markup; 2,400 rows, so that
every picture has all the points that it may have; the folds choose a penalty, which has a picture.
Each job is run stage by stage in a folder of its own; the report's bytes are printed.
"""

import csv
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
ROWS = 2_400
SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
TARGET = "yearly heating demand in kWh per square metre 年采暖能耗"
SOURCE = 'data/raw/flats <b> & "others".csv'

NUMBERS = [
    SCRIPT,
    "每平方米建筑面积的年均采暖能耗指标（千瓦时）",
    *(f"measured_value_of_the_sensor_in_room_number_{place:02}_averaged" for place in range(16)),
]
CATEGORIES = {
    "heating system at the time of the last inspection": ("gas", "oil", IMAGE, "电采暖"),
    "房屋朝向": ("东", "南", "西", "北"),
    **{
        f"category {place}, a long name{' of many words' * 3}": tuple("abcdef"[: 3 + place])
        for place in range(4)
    },
}
GAPS = [f"number with gaps {place}" for place in range(4)]
DATES = ["date of the sale", "建成日期"]


def write_table(path: Path) -> None:
    """Write the table of 30 columns and a target."""
    draw = random.Random(0)
    header = [*NUMBERS, *CATEGORIES, *GAPS, *DATES, TARGET]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for _ in range(ROWS):
            numbers = [draw.gauss(50, 10) for _ in NUMBERS]
            levels = [draw.choice(each) for each in CATEGORIES.values()]
            gaps = ["" if draw.random() < 0.1 else draw.randint(1, 9) for _ in GAPS]
            days = [date(2000, 1, 1) + timedelta(days=draw.randrange(9000)) for _ in DATES]
            target = sum(numbers[:6]) + 20 * (levels[0] == IMAGE) + draw.gauss(0, 15)
            rows.writerow([*(f"{n:.2f}" for n in numbers), *levels, *gaps, *days, f"{target:.2f}"])


def settings(language: str) -> dict[str, Any]:
    """Return what differs from the tutorial's job, by dotted keys."""
    features: dict[str, Any] = dict.fromkeys(NUMBERS, "number")
    features |= dict.fromkeys(CATEGORIES, "category")
    gap, day = {"kind": "number", "missing": "mean", "indicator": True}, {"kind": "date"}
    features |= dict.fromkeys(GAPS, gap) | {
        name: day | {"parts": ["days", "month"]} for name in DATES
    }
    query: dict[str, Any] = dict.fromkeys(NUMBERS, 50.0)
    query |= {name: levels[2] for name, levels in CATEGORIES.items()}
    query |= dict.fromkeys(GAPS, None) | dict.fromkeys(DATES, "2010-05-06")
    return {
        "data.source": SOURCE,
        "data.features": features,
        "data.targets": [TARGET],
        "data.test_fraction": 0.2,
        "train.optimizer": "exact",
        "train.l2": "cv",
        "evaluate.queries": [query],
        "report.language": language,
    }


def made(folder: Path, changes: Mapping[str, Any]) -> Path:
    """Run the stages of a job in an empty folder; return the report. changes: by dotted keys."""
    for name in ("dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("pipeline", "modules"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    document = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for key, value in changes.items():
        section, name = key.split(".")
        document[section][name] = value
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    (folder / "data/raw").mkdir(parents=True, exist_ok=True)
    for stage in ("generate", "train", "evaluate", "export"):
        command = [sys.executable, "-m", f"pipeline.{stage}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{stage}: {done.stdout}{done.stderr}")
    return folder / "reports/report.html"


def main() -> None:
    """Print the bytes of each report."""
    print("| report.html of | bytes |\n|---|---|")
    for language in ("en", "zh"):
        for name, changes in (
            ("the tutorial's job", {"report.language": language}),
            ("a table of 30 columns", settings(language)),
        ):
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                if "data.source" in changes:
                    write_table(folder / SOURCE)
                size = made(folder, changes).stat().st_size
            print(f"| {name}, {language} | {size:,} |", flush=True)


if __name__ == "__main__":
    main()
