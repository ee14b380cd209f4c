"""Exceptions for mistakes that the user can correct."""


class UserError(Exception):
    """Mistake of the user.

    Its text is all that is shown, on stderr, before exit status 1: the key or the file, what was
    found, what is allowed and the likely fix.
    """


class EditedError(UserError):
    """An input of a stage was edited while the stage ran, which only has to run again."""


class UnavailableError(UserError):
    """A file that cannot be read now, whatever is in it: its server does not answer, or refuses."""
