"""What kopf calls: `kopf run -m prodeval.handlers`, which is what `prodeval run` does."""

from prodeval.handlers import activities, evaluation

__all__ = ["activities", "evaluation"]
