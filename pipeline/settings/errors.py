"""Exceptions for what the user can put right."""


class UserError(Exception):
    """A mistake of the user's.

    Its text is all that is shown, on stderr, before exit status 1: the key or the file, what was
    found, what is allowed and the likely fix.
    """


class EditedError(UserError):
    """An input of a stage was edited while the stage ran: nothing to correct, only to run again."""
