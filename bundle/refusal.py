"""The error of a bundle that cannot be trusted: the only one that leaves `bundle.load`."""

from contract import errors


class BundleRefused(errors.Refused):
    """A bundle is damaged, hostile, unsigned, too large, or does not reproduce its golden rows."""

    def __init__(self, why: str, file: str | None = None) -> None:
        super().__init__(why)
        self.file = file
        """The file of the bundle that is at fault; None: no single one."""


def require(holds: bool, why: str, file: str | None = None) -> None:
    """Go on only if the condition holds.

    Raises:
        BundleRefused: with the sentence `why` about `file`, when it does not.
    """
    if not holds:
        raise BundleRefused(why, file)
