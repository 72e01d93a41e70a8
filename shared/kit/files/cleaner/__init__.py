"""The cleaning process: judges one file from its standard input, and writes a copy without metadata.

It holds the only code that unfolds what strangers send. It runs apart from the service (`shared.kit.files.cleaning` starts it)
under limits of memory, processor time and open files, cannot write files, and knows no key and no address.
"""


class RefusedError(Exception):
    """The file is harmful or broken; `reason` is a code of `REFUSALS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeptError(Exception):
    """The file may be kept, but no clean copy can be made; `reason` is a code of `UNCLEANED`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
