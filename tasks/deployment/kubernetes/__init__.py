"""The cluster that the stage deploys in, through the Kubernetes API."""
