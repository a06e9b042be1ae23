"""prodeval: judges production again after a Keptn delivery, from one custom resource."""

__version__ = "0.1.0"
