"""What went wrong with a stage, in words; imports nothing heavy."""

import re


class StageFailed(ValueError):
    """A stage did not end well; the message names it and gives the reason in one line."""


def one_line(error: BaseException) -> str:
    """What went wrong, in the words of the exception that began it, without the frames around it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ValueError) and str(cause):
            error = cause
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, KeyboardInterrupt):
        return "stopped by the user"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    # Beam puts the worker's whole traceback into its message; what was raised stands last.
    line = lines[-1] if "Traceback" in lines[0] else lines[0]
    return re.sub(r"^(\w+\.)*ValueError: | \[while running .*\]$", "", line)
