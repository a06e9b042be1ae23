"""What kopf calls: `kopf run -m prodeval.handlers`, which is what `prodeval run` does."""

from prodeval.handlers import activities, resources

__all__ = ["activities", "resources"]
