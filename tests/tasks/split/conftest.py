"""What the stage takes."""

from fixtures_stages import before

__all__ = ["before"]
