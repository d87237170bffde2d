"""Canaries on a cluster."""

from fixtures_canary import addresses, cluster, models, problem_name, service, sick, world

__all__ = ["addresses", "cluster", "models", "problem_name", "service", "sick", "world"]
