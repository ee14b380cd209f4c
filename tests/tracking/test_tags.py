"""A run has a tag only if its origin has a value for it, and every tag fits."""

from pipeline.results.provenance import Origin
from pipeline.tracking import tags


def test_a_run_has_no_tag_without_a_value() -> None:
    """An empty tag would be shown as a commit without a hash."""
    values = tags.of_origin(Origin(name="", commit=None))
    assert values == {tags.SOURCE_NAME: "dvc.yaml", tags.SOURCE_TYPE: "LOCAL", tags.CHANGED: "none"}
    origin = Origin("", "c" * 40, ("a.py",), "faster", "b" * 40, "somebody")
    names = (tags.SOURCE_NAME, tags.SOURCE_TYPE, tags.CHANGED, *tags.ORIGIN_TAGS)
    assert set(tags.of_origin(origin)) == set(names)


def test_a_long_list_of_files_fits_into_a_tag() -> None:
    """MLflow refuses a longer one, and the run would not be written."""
    assert tags.file_list(["a.py", "b.py"]) == "a.py, b.py"
    assert len(tags.file_list(["a" * 50] * 200)) == 5000
