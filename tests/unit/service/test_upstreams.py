"""An upstream and its credential come from one Secret, which the operator alone reads."""

import pytest

from prodeval.domain.errors import AccessDeniedError
from prodeval.domain.masking import Mask
from prodeval.service.upstreams import Upstreams


class Secrets:
    def secret(self, namespace, name):
        assert (namespace, name) == ("keptn", "git-credentials-fulltour")
        text = '{"remoteURL": "https://git.test/fulltour.git", "user": "u", "https": {"token": "s3cret-token"}}'
        return {"git-credentials": text.encode()}


def upstreams(mask, *hosts):
    return Upstreams(
        Secrets(),
        lambda project, credentials: (project, credentials.host),
        credentials_namespace="keptn",
        allowed_hosts=hosts,
        mask=mask,
    )


@pytest.mark.parametrize("hosts", [(), ("git.test",), ("other.test", "git.test")])
def test_it_is_opened_with_the_credentials_of_its_secret_which_are_masked(hosts):
    mask = Mask()
    opened, url = upstreams(mask, *hosts).open("fulltour")
    assert (opened, url) == (("fulltour", "git.test"), "https://git.test/fulltour.git")
    assert "s3cret" not in mask.mask("refused s3cret-token")


def test_a_host_that_is_not_allowed_is_refused_before_any_question():
    with pytest.raises(AccessDeniedError, match=r"names host 'git.test', which is not among git.allowedHosts"):
        upstreams(Mask(), "other.test").open("fulltour")
