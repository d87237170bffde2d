"""The platform on a Kubernetes cluster, through kubectl: a client library would cost 84 MB."""
