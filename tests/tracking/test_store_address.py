"""The address of a store: no password or token of it is shown."""

import pytest

from pipeline.tracking.store_address import masked, page_address, shown


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("mysql://user:secret@host/db", "mysql://user:***@host/db"),
        ("http://:secret@host:5000", "http://:***@host:5000"),
        ("postgresql://user:se@cret@host/db", "postgresql://user:***@host/db"),
        ("postgresql://user:sec/ret@host/db", "postgresql://user:***@host/db"),
        ("postgresql://user:sec?ret@host/db", "postgresql://user:***@host/db"),
        ("http://host/?token=secret", "http://host/?token=***"),
        ("http://host/x?a=b&api_key=secret#c", "http://host/x?a=b&api_key=***#c"),
        ("postgresql://host/db?user=u&password=secret", "postgresql://host/db?user=u&password=***"),
        ("postgresql://host/db?sslpassword=sec@ret", "postgresql://host/db?sslpassword=***"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dsecret", "mssql+pyodbc:///?odbc_connect=***"),
        ("http://host:5000", "http://host:5000"),
        ("http://TOKEN@host:5000", "http://***@host:5000"),
        ("https://to/ken@host", "https://***@host"),
        ("postgresql://user@host:1/db", "postgresql://user@host:1/db"),
        ("sqlite:////a/b:c@d/mlflow.db", "sqlite:////a/b:c@d/mlflow.db"),
        ("databricks", "databricks"),
    ],
)
def test_a_password_is_not_shown(uri: str, seen: str) -> None:
    assert shown(uri) == seen


def test_a_password_is_in_no_message_of_a_library() -> None:
    uri = "postgresql://user:p%40ss/word@host/db?token=tok%2Fen"
    text = (
        f"cannot use {uri}: no host ss/word@host; 'p@ss' is wrong; GET /db?token=tok/en, tok%2Fen"
    )
    told = masked(text, uri)
    for secret in ("p%40ss", "p@ss", "word", "tok/en", "tok%2Fen"):
        assert secret not in told
    assert "user" in told
    assert "no host" in told


def test_a_token_is_in_no_message_of_a_library() -> None:
    told = masked("no http://tok%2Fen@host, no tok/en", "http://tok%2Fen@host")
    assert told == "no http://***@host, no ***"


def test_a_link_for_a_browser_has_no_password() -> None:
    assert page_address("http://user:p?ss@host:5000/mlflow/?token=x") == "http://host:5000/mlflow"
    assert page_address("http://127.0.0.1:5000") == "http://127.0.0.1:5000"
