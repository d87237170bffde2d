"""The platform on a Kubernetes cluster, through kubectl."""
