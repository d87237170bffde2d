"""Canaries on a cluster."""

from fixtures_canary import addresses, cluster, door, models, problem_name, sick, world

__all__ = ["addresses", "cluster", "door", "models", "problem_name", "sick", "world"]
