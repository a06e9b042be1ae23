"""A server that means harm is refused: quickly, in little memory, and without a word of the secret."""

import base64
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dulwich.protocol import pkt_line

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError, ProdevalError
from tests.adapters.git import attacks
from tests.adapters.git.conftest import TOKEN, https
from tests.adapters.git.httpserver import GitServer, Handler, Seen, serving
from tests.adapters.git.plans import BOTH, gate
from tests.adapters.git.sshserver import serving_ssh
from tests.adapters.git.upstreams import Upstream, hook

CANARY = "c4n4ry-t0k3n"
ROOT = Path(__file__).parents[3]


ATTACKED = """
import json, re, signal, sys
from pathlib import Path
from prodeval.adapters.git import Repositories
from prodeval.domain.errors import ProdevalError
from tests.adapters.git.conftest import https

def at(snapshot):
    return snapshot.list("main", ""), snapshot.read("main", "shipyard.yaml")

def attacked(url):
    signal.setitimer(signal.ITIMER_PROF, 10)  # seconds of computing, then this process ends
    repository = Repositories(author_name="p", author_email="p@x", timeout=30).open("fulltour", https(url))
    try:
        return [type(None).__name__, repr(repository.look(frozenset(), at))]
    except ProdevalError as error:
        return [error.reason, str(error)]

peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before, base, names = peak(), sys.argv[1], sys.argv[2:]
outcomes = {name: attacked(f"{base}/{name}.git") for name in names}
print(json.dumps({"outcomes": outcomes, "kibibytes": peak() - before}))
"""

EXPECTED = {
    "declares-sixteen-terabytes": "object of more than 16777216 bytes",
    "inflates-to-more-than-it-says": "not as large as it says",
    "many-large-objects": "inflates to more than 536870912 bytes",
    "deltas-that-grow": "inflates to more than 536870912 bytes",
    "deltas-that-branch": "deltas whose bases have more than 33554432 bytes",
    "a-chain-of-deltas": "chain of more than 512 deltas",
    "four-billion-objects": "more than 150000 objects",
    "a-wrong-checksum": "damaged on its way",
    "more-than-its-objects": "longer than its objects",
    "cut-short": "cut short",
    "a-delta-of-itself": "delta without its base",
    "a-delta-from-before-the-pack": "delta without its base",
    "a-delta-without-base": "delta without its base",
    "a-delta-that-does-not-fit": "does not fit its base",
    "no-known-type": "no known type",
    "no-zlib": "broken zlib stream",
    "no-pack": "no pack where one should be",
    "not-what-was-asked-for": f"does not give commit {attacks.TIP}",
    "endless-capabilities": "larger than the ",
    "endless-empty-packets": "says more than the protocol allows",
    "endless-refs-of-version-0": "larger than the ",
    "a-length-that-is-none": "Invalid pkt-line length prefix",
    "a-length-of-three": "Invalid pkt-line length",
    "a-length-too-far": "does not match length prefix",
    "an-error-in-colour": "red AAA",
    "a-ref-without-an-id": "a ref without an object id",
    "packed-with-gzip": "Invalid pkt-line length prefix",
    "nothing-at-all": "the server closed the connection",
    "endless-listing": "larger than the ",
    "endless-empty-listing": "more than 400000 packets",
    "an-unborn-head-with-a-strange-name": "is empty",
    "more-than-a-listing": "says more than the protocol allows",
    "another-servers-pack": "a section that was not asked for",
    "a-fatal-word": "red AAA",
    "a-sideband-that-does-not-exist": "a sideband that does not exist",
    "endless-progress": "larger than the ",
    "an-endless-pack": "larger than the ",
    "a-tree-bomb": "more than 64 deep or has more than 100000 files",
}


def in_a_process(script: str, *arguments: str) -> dict[str, Any]:
    """Run a script with the project importable; it prints one JSON object."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=ROOT, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of all attacks, one after the other on a process of its own, and the memory that it took."""
    with serving(tmp_path_factory.mktemp("evil")) as server:
        server.misbehave = attacks.answer
        return in_a_process(ATTACKED, f"http://localhost:{server.port}", *attacks.ALL)


@pytest.mark.parametrize("name", attacks.ALL)
def test_an_attack_is_refused_with_its_reason(attacked: dict[str, Any], name: str) -> None:
    reason, message = attacked["outcomes"][name]
    assert EXPECTED[name] in message
    assert reason == ("DependencyNotReady" if "empty" in EXPECTED[name] else "GitOperationFailed")
    assert message.isprintable()
    assert len(message) < 700


def test_no_attack_takes_a_hundred_megabytes(attacked: dict[str, Any]) -> None:
    assert attacked["kibibytes"] < 100 * 1024


def test_another_servers_pack_is_never_asked_for(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    upstream.config("uploadpack.blobPackfileUri", f"{upstream.tip('main')} {'b' * 40} http://localhost:1/evil.pack")
    upstream.config("uploadpack.allowSidebandAll", "true")
    repository.write(BOTH, gate(b"one"))
    assert any(b"packfile-uris" in one.answer for one in server.log)
    assert not any(b"packfile-uris" in one.body for one in server.log)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused_and_nothing_is_sent_there(
    repository: GitRepository, server: GitServer, tmp_path: Path, status: int
) -> None:
    with serving(tmp_path) as other:
        for host, path in (
            ("localhost", "fulltour.git"),
            ("127.0.0.1", "fulltour.git/info/refs?service=git-upload-pack"),
        ):
            server.misbehave = redirecting(f"http://{host}:{other.port}/{path}", status)
            with pytest.raises(AccessDeniedError, match="redirects to another origin, where no credentials are sent"):
                repository.write(BOTH, gate(b"one"))
        assert other.log == []


def redirecting(target: str, status: int = 302) -> Callable[[Handler, Seen], bool]:
    def misbehave(handler: Handler, _: Seen) -> bool:
        handler.reply(status, Location=target)
        return True

    return misbehave


@pytest.mark.parametrize("target", ["/users/sign_in", "/login?return=/fulltour.git/info/refs", "//x:y@localhost/"])
def test_a_redirect_to_a_login_page_is_said_to_be_one(
    repository: GitRepository, server: GitServer, target: str
) -> None:
    server.misbehave = redirecting(target)
    with pytest.raises(AccessDeniedError, match=r"page that is not Git, as hosts do that want a login|another origin"):
        repository.write(BOTH, gate(b"one"))


def test_redirects_in_a_circle_end(repository: GitRepository, server: GitServer) -> None:
    server.misbehave = redirecting("/fulltour.git/info/refs?service=git-upload-pack")
    with pytest.raises(GitOperationFailedError, match="HTTP 302"):
        repository.write(BOTH, gate(b"one"))
    assert len(server.log) < 5


def test_a_push_is_never_redirected(repository: GitRepository, server: GitServer, upstream: Upstream) -> None:
    def redirect(handler: Handler, seen: Seen) -> bool:
        return (
            seen.method == "POST"
            and "receive" in seen.path
            and redirecting("/other.git/git-receive-pack", 307)(handler, seen)
        )

    server.misbehave = redirect
    with pytest.raises(GitOperationFailedError, match="HTTP 307"):
        repository.write(BOTH, gate(b"one"))
    assert not any("other.git" in one.path for one in server.log)


@pytest.mark.parametrize("words", ["\\033[31mred\\033[0m\\007\\r\\n\\tnext", "x" * 20_000])
def test_the_words_of_a_server_are_cleaned_and_cut(repository: GitRepository, upstream: Upstream, words: str) -> None:
    hook(upstream, "pre-receive", f"printf '{words}' >&2; exit 1")
    with pytest.raises(ProdevalError) as caught:
        repository.write(BOTH, gate(b"one"))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_200
    assert ("red next" in str(caught.value)) is words.startswith("\\")


def test_the_token_is_in_no_log_no_error_and_nothing_that_is_pushed(
    repositories: Repositories, upstream: Upstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    with serving(tmp_path, user="bot", token=CANARY) as server:
        credentials = https(server.url("fulltour.git"), token=CANARY)
        said += [repr(credentials), str(credentials), repr(repositories.open("fulltour", credentials))]
        repositories.open("fulltour", credentials).write(BOTH, gate(b"one"))
        assert server.log[-1].headers["Authorization"] == "Basic " + encoded()
        for misbehave in (
            echo_error,
            echo_status,
            echo_pack,
            lambda handler, _: handler.cut(),
            redirecting(f"http://x/{CANARY}"),
        ):
            server.misbehave = misbehave
            said.append(failure(repositories.open("fulltour", credentials)))
        server.misbehave = lambda *_: False
        hook(upstream, "pre-receive", f"echo 'your token is {CANARY}, in full {encoded()}' >&2; exit 1")
        said.append(failure(repositories.open("fulltour", credentials)))
        assert "your token is ***" in said[-1]
    said.append(failure(repositories.open("fulltour", credentials)))
    said += [record.getMessage() for record in caplog.records] + [caplog.text, upstream.git("log", "--all", "-p")]
    assert len(caplog.records) > 10
    assert not [text for text in said if CANARY in text or encoded() in text]


def encoded() -> str:
    return base64.b64encode(f"bot:{CANARY}".encode()).decode()


def failure(repository: GitRepository) -> str:
    """The error with all its causes, as a log would show it."""
    with pytest.raises(ProdevalError) as caught:
        repository.write(BOTH, gate(b"two"))
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def echo_error(handler: Handler, seen: Seen) -> bool:
    words = pkt_line(f"ERR no such token: {CANARY} {seen.headers['Authorization']}".encode())
    handler.reply(200, words, Content_Type="application/x-git-upload-pack-result")
    return True


def echo_status(handler: Handler, seen: Seen) -> bool:
    handler.reply(403, CANARY.encode(), X_Token=CANARY)
    return True


def echo_pack(handler: Handler, seen: Seen) -> bool:
    body = b"zzzz" + CANARY.encode()
    kind = "advertisement" if seen.method == "GET" else "result"
    handler.reply(200, body, Content_Type=f"application/x-git-upload-pack-{kind}")
    return True


AUDITED = """
import json, sys
seen = []
starting = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork", "os.forkpty")
of_the_user = (".gitconfig", ".ssh", "git/config", "netrc")
def audit(event, arguments):
    if event in starting:
        seen.append(event)
    if event == "open" and any(word in str(arguments[0]) for word in of_the_user):
        seen.append(arguments[0])
sys.addaudithook(audit)
from prodeval.adapters.git import Repositories
from prodeval.domain.credentials import parse_git_credentials
from tests.adapters.git.plans import BOTH, gate

opened = Repositories(author_name="p", author_email="p@x")
for number, secret in enumerate(json.loads(sys.argv[1])):
    credentials = parse_git_credentials({key: text.encode() for key, text in secret.items()}, secret="s")
    opened.open(str(number), credentials).write(BOTH, gate(b"%d" % number))
print(json.dumps({"seen": seen}))
"""


def test_no_process_is_started_and_no_file_of_the_user_is_read(upstream: Upstream, server: GitServer) -> None:
    with serving_ssh(upstream.path.parent) as shell:
        document = {"remoteURL": server.url("fulltour.git"), "user": "bot", "https": {"token": TOKEN}}
        keyed = {"remoteURL": shell.url("fulltour.git"), "ssh": {"privateKey": shell.private_key}}
        secrets = [
            {"git-credentials": json.dumps(document)},
            {"git-credentials": json.dumps(keyed), "known_hosts": shell.known_hosts},
        ]
        assert in_a_process(AUDITED, json.dumps(secrets)) == {"seen": []}
    assert upstream.show("main", "shipyard.yaml") == b"1"
