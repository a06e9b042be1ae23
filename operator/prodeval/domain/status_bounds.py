"""tmp"""
from collections.abc import Callable
from prodeval.domain.json_values import JSONObject
def fit(status: JSONObject, clean: Callable[[str], str]) -> JSONObject:
    """Tmp."""
    return status
