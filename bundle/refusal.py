"""The error of a bundle that cannot be trusted: the only one that leaves `bundle.load`."""

from contract import errors


class BundleRefused(errors.Refused):
    """A bundle is damaged, hostile, unsigned, too large, or does not reproduce its golden rows."""


def require(holds: bool, why: str) -> None:
    """Go on only if the condition holds.

    Raises:
        BundleRefused: with the sentence `why`, when it does not.
    """
    if not holds:
        raise BundleRefused(why)
