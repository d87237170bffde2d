"""The product on a real Kubernetes: what it costs there, and what is left of it when parts die."""
