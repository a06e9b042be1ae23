"""Both shapes of Keptn's Secret, and every URL that is not opened."""

import base64
import json
from typing import Any

import pytest

from prodeval.domain.credentials import KEY, GitCredentials, Proxy, parse_git_credentials
from prodeval.domain.errors import AccessDeniedError

SECRET = "git-credentials-fulltour"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----"


def parsed(document: object, **extra: bytes) -> GitCredentials:
    return parse_git_credentials({KEY: json.dumps(document).encode(), **extra}, secret=SECRET)


def https(**fields: Any) -> dict[str, Any]:
    return {
        "remoteURL": "https://git.example/acme/fulltour.git",
        "user": "acme-bot",
        "https": {"token": "t0ken", **fields},
    }


def test_the_new_shape_over_https() -> None:
    found = parsed(
        https(
            certificate=PEM,
            insecureSkipTLS=True,
            proxy={"url": "10.0.0.1:3128", "scheme": "http", "user": "u", "password": "p"},
        )
    )
    assert found == GitCredentials(
        url="https://git.example/acme/fulltour.git",
        scheme="https",
        host="git.example",
        port=443,
        path="/acme/fulltour.git",
        user="acme-bot",
        secret=SECRET,
        token="t0ken",
        ca=PEM,
        insecure_skip_tls=True,
        proxy=Proxy("http://10.0.0.1:3128", "u", "p"),
    )


def test_the_new_shape_over_ssh() -> None:
    document = {
        "remoteURL": "ssh://git@git.example:2222/acme/full%20tour.git",
        "user": "ignored",
        "ssh": {"privateKey": PRIVATE_KEY, "privateKeyPass": "open sesame"},
    }
    found = parsed(document, known_hosts=b"git.example ssh-ed25519 AAAA\n")
    assert (found.scheme, found.host, found.port) == ("ssh", "git.example", 2222)
    assert (found.user, found.path) == ("git", "/acme/full tour.git")
    assert (found.private_key, found.private_key_passphrase) == (PRIVATE_KEY, "open sesame")
    assert found.known_hosts == "git.example ssh-ed25519 AAAA"
    assert found.url == "ssh://git.example:2222/acme/full%20tour.git"


def test_the_old_shape_is_the_same_thing() -> None:
    old = {
        "remoteURI": "https://git.example/acme/fulltour.git",
        "user": "acme-bot",
        "token": "t0ken",
        "gitPemCertificate": PEM,
        "insecureSkipTLS": True,
        "gitProxyUrl": "10.0.0.1:3128",
        "gitProxyScheme": "https",
        "gitProxyUser": "u",
        "gitProxyPassword": "p",
    }
    proxy = {"url": "10.0.0.1:3128", "scheme": "https", "user": "u", "password": "p"}
    assert parsed(old) == parsed(https(certificate=PEM, insecureSkipTLS=True, proxy=proxy))


def test_the_oldest_shape_and_the_old_one_over_ssh() -> None:
    assert parsed({"user": "u", "token": "t", "remoteURI": "http://git.example/a"}).url == "http://git.example/a"
    flat = {"remoteURI": "ssh://me@git.example/a", "privateKey": PRIVATE_KEY, "privateKeyPass": "x", "token": ""}
    found = parsed(flat)
    assert (found.user, found.port, found.private_key_passphrase) == ("me", 22, "x")


@pytest.mark.parametrize("field", ["privateKey", "certificate"])
def test_pem_may_be_in_base64(field: str) -> None:
    text = PEM if field == "certificate" else PRIVATE_KEY
    encoded = base64.b64encode(text.encode()).decode()
    if field == "certificate":
        assert parsed(https(certificate=encoded)).ca == PEM
    else:
        assert parsed({"remoteURL": "ssh://h/a", "ssh": {"privateKey": encoded}}).private_key == PRIVATE_KEY


def test_a_token_alone_belongs_to_the_user_that_keptn_takes() -> None:
    document = https()
    del document["user"]
    assert parsed(document).user == "keptnuser"


def test_no_token_is_anonymous() -> None:
    found = parsed({"remoteURL": "https://git.example/a.git", "user": "somebody"})
    assert (found.user, found.token) == ("", "")


def test_the_authority_of_the_secret_joins_keptns_certificate() -> None:
    assert parsed(https(certificate=PEM), **{"ca.crt": PEM.encode()}).ca == f"{PEM}\n{PEM}"


def test_comments_beside_certificates_are_left_out_in_any_language() -> None:
    found = parsed(https(), **{"ca.crt": f"# für uns\n{PEM}\n# und noch eine\r\n{PEM}".encode()})
    assert found.ca == f"{PEM}\n{PEM}"


@pytest.mark.parametrize("content", ["# nothing", "MIIB", PRIVATE_KEY])
def test_an_authority_that_is_none_names_its_key(content: str) -> None:
    with pytest.raises(AccessDeniedError, match=f"^Secret '{SECRET}', key 'ca.crt': holds no PEM certificate"):
        parsed(https(), **{"ca.crt": content.encode()})


def test_an_ipv6_address_and_a_host_in_any_script_are_hosts() -> None:
    assert parsed({"remoteURL": "https://[2001:db8::1]:8443/a.git"}).host == "2001:db8::1"
    assert parsed({"remoteURL": "https://exämple.org/a.git"}).host == "exämple.org"
    assert parsed(https(proxy={"url": "[::1]:3128"})).proxy == Proxy("http://[::1]:3128")


def test_a_user_in_the_url_is_used_and_not_printed() -> None:
    found = parsed({"remoteURL": "https://me@git.example/a.git", "https": {"token": "t"}})
    assert (found.user, found.url) == ("me", "https://git.example/a.git")


def test_equal_credentials_are_equal_and_other_tokens_are_not() -> None:
    assert parsed(https()) == parsed(https())
    assert parsed(https()) != parsed(https(token="new"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ext::sh -c touch% /tmp/pwned",
        "git://git.example/a.git",
        "git@git.example:acme/a.git",
        "-oProxyCommand=touch /tmp/pwned",
        "--upload-pack=touch",
        "ssh://-oProxyCommand=touch/a.git",
        "ssh://git.example/-oProxyCommand",
        "ssh://-l@git.example/a.git",
        "https://-x/a.git",
        "HTTPS://git.example/a.git",
        "https:/git.example/a.git",
        "https://",
        "https:///a.git",
        "https://git.example",
        "https://git.example/",
        "https://git.example:99999/a.git",
        "https://git.example:0/a.git",
        "https://git.example:x/a.git",
        "https://[::1/a.git",
        "https://git.example/a.git?x=y",
        "https://git.example/a.git#x",
        "https://git.example/../a.git",
        "https://git..example/a.git",
        f"https://{'a' * 64}.example/a.git",
        f"https://{'a.' * 130}example/a.git",
        "https://git.example/%00a.git",
        "ssh://%00@git.example/a.git",
        "https://git.example/%2e%2e/a.git",
        "https://git.example/a b.git",
        "https://git.example/a\nb.git",
        "https://git.example/a\u202eb.git",
        "https://user:t0ken@git.example/a.git",
        "javascript://git.example/a",
    ],
)
@pytest.mark.parametrize("name", ["remoteURL", "remoteURI"])
def test_any_other_url_is_refused_without_being_printed(url: str, name: str) -> None:
    with pytest.raises(AccessDeniedError, match=f"^Secret '{SECRET}', key 'git-credentials': remoteUR[LI] ") as caught:
        parsed({name: url, "https": {"token": "t0ken"}, "ssh": {"privateKey": PRIVATE_KEY}})
    assert "t0ken" not in str(caught.value)
    assert "pwned" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"remoteURL": "ssh://h/a"}, "privateKey is missing"),
        ({"remoteURL": 7}, "remoteURL must be text"),
        ({"remoteURL": "https://h/a", "https": []}, "https must be an object"),
        (https(token=["x"]), "token must be text"),
        (https(token="a\u0000b"), "token must be text"),
        (https(token="a\ud83d"), "token must be text"),
        (https(certificate=PEM.replace("MIIB", "MIßB")), "certificate holds no PEM certificate, or a damaged one"),
        (https(certificate=PRIVATE_KEY), "certificate holds no PEM certificate, or a damaged one"),
        (https(certificate=PEM + PEM[:30]), "certificate holds no PEM certificate, or a damaged one"),
        (https(proxy={"url": "proxy:99999"}), "proxy needs scheme"),
        (https(proxy={"url": "proxy:0"}), "proxy needs scheme"),
        (https(proxy={"url": "pro..xy:1"}), "proxy needs scheme"),
        (https(proxy={"url": "pro xy:1"}), "proxy needs scheme"),
        (https(proxy={"url": "[:1"}), "proxy needs scheme"),
        (https(proxy={"url": "proxy:\u0663"}), "proxy needs scheme"),
        (https(insecureSkipTLS="yes"), "insecureSkipTLS must be true or false"),
        (https(certificate="%%%"), "certificate must be PEM"),
        (https(certificate="4oKs"), "certificate must be PEM"),
        (https(proxy={"url": "10.0.0.1"}), "proxy needs scheme http or https, and url as host:port"),
        (https(proxy={"url": "u@10.0.0.1:1"}), "proxy needs scheme"),
        (https(proxy={"url": "10.0.0.1:1", "scheme": "socks5"}), "proxy needs scheme"),
        (https(proxy="10.0.0.1:1"), "proxy must be an object"),
    ],
)
def test_what_is_wrong_is_named_with_secret_and_key(document: object, problem: str) -> None:
    with pytest.raises(AccessDeniedError, match=f"^Secret '{SECRET}', key 'git-credentials': {problem}"):
        parsed(document)


@pytest.mark.parametrize("content", [b"", b"t0ken", b"[]", b'"t0ken"', b"\xff", b'{"token": "t0ken"', b"[" * 10_000])
def test_what_is_no_json_object_is_refused_without_being_shown(content: bytes) -> None:
    with pytest.raises(AccessDeniedError, match="must be a JSON object") as caught:
        parse_git_credentials({KEY: content}, secret=SECRET)
    assert caught.value.__context__ is None
    assert "t0ken" not in str(caught.value)


def test_a_missing_key_and_a_key_that_is_no_text_are_named() -> None:
    with pytest.raises(AccessDeniedError, match="has no key 'git-credentials'"):
        parse_git_credentials({}, secret=SECRET)
    with pytest.raises(AccessDeniedError, match="key 'known_hosts': must be text"):
        parsed(https(), known_hosts=b"\xff")


def test_no_secret_is_in_any_text_of_the_credentials() -> None:
    found = parsed(https(token="c4n4ry", proxy={"url": "p:1", "user": "u", "password": "c4n4ry"}, certificate=PEM))
    shell = parsed({"remoteURL": "ssh://h/a", "ssh": {"privateKey": PRIVATE_KEY, "privateKeyPass": "c4n4ry"}})
    for text in (repr(found), str(found), f"{found.proxy}", repr(shell), str(shell)):
        assert "c4n4ry" not in text
        assert "BEGIN" not in text
