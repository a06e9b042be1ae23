from itertools import islice

import kopf

from prodeval.handlers.activities import configure


def test_kopf_never_runs_out_of_tries_while_the_api_server_answers_errors():
    """Default are eight pauses, 54 s together; then kopf ends the process."""
    settings = kopf.OperatorSettings()
    configure(settings)
    first, second = (list(islice(settings.networking.error_backoffs, 10_000)) for _ in range(2))
    assert first == second
    assert sum(first) > 24 * 3600
    assert max(first) <= 20
    assert sum(first[:4]) <= 10
