"""The exception of every mistake of the user's."""


class UserError(Exception):
    """A mistake of the user's.

    Its text is all that is shown, on stderr, before exit status 1: the key or the file, what was
    found, what is allowed and the likely fix.
    """
