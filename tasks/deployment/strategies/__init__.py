"""How a model comes into service: one module for each strategy of `contract.rollout.strategy`."""
