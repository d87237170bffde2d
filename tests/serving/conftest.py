"""Model services to ask."""

from fixtures_service import keys, make, shared_bundle, shared_service, start

__all__ = ["keys", "make", "shared_bundle", "shared_service", "start"]
