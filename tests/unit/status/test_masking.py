import base64
import re
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodeval.domain.masking import Mask

TOKEN = "t0k+n/w!th spéc€l-characters"


def masked(text, *secrets):
    mask = Mask()
    mask.learn(*secrets)
    return mask.mask(text)


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        quote(TOKEN),
        quote(TOKEN, safe=""),
        quote(TOKEN).replace("%E2%82%AC", "%e2%82%ac"),
        quote_plus(TOKEN),
        "".join(f"%{byte:02x}" for byte in TOKEN.encode()),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode(),
        quote(base64.b64encode(TOKEN.encode()).decode(), safe=""),
        *(base64.b64encode(f"{user}:{TOKEN}".encode()).decode() for user in ("u", "us", "use", "user")),
    ],
)
def test_a_secret_is_hidden_in_each_form(form):
    assert masked(f"refused <{form}>, sorry", TOKEN) == "refused <***>, sorry"


def test_all_secrets_and_all_their_places_are_hidden():
    assert masked("one-secret two-secret one-secret", "one-secret", "two-secret") == "*** *** ***"
    assert masked("one-secretone-secret", "one-secret") == "***"


def test_the_longest_and_the_overlapping_are_hidden_whole():
    assert masked("https://secret-and-more.example", "secret", "secret-and-more") == "https://***.example"
    assert masked("<abcdefgh>", "abcdef", "cdefgh") == "<***>"


def test_short_texts_are_not_secrets():
    assert masked("the token is short", "is", "token", "", "     ") == "the token is short"


def test_a_private_key_is_hidden_line_by_line_and_its_armour_is_not():
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAAtzc2gtZWQy\n-----END OPENSSH PRIVATE KEY-----\n"
    assert masked("cannot read AAAAtzc2gtZWQy", key) == "cannot read ***"
    assert masked("no -----BEGIN OPENSSH PRIVATE KEY-----", key) == "no -----BEGIN OPENSSH PRIVATE KEY-----"


def test_the_newest_thousand_are_kept():
    mask = Mask()
    mask.learn(*(f"secret-{number:05}" for number in range(1001)))
    assert mask.mask("secret-00000 secret-00001 secret-01000") == "secret-00000 *** ***"


def test_what_was_learned_between_two_texts_counts():
    mask = Mask()
    mask.learn("first-secret")
    assert mask.mask("first-secret second-secret") == "*** second-secret"
    mask.learn("second-secret")
    assert mask.mask("first-secret second-secret") == "*** ***"


def test_threads_may_learn_and_mask_at_once():
    mask, wrong = Mask(), []

    def work(number):
        for turn in range(50):
            secret = f"secret-{number}-{turn}"
            mask.learn(secret)
            if mask.mask(f"<{secret}>") != "<***>":
                wrong.append(secret)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def lower_hex(text):
    return re.sub("%..", lambda found: found[0].lower(), text)


# Without `*`, of which what hides a secret is made.
SECRETS = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=6)


@given(
    secret=SECRETS.map(str.strip).filter(lambda text: len(text) >= 6 and not text.startswith("-----")),
    before=st.text(max_size=7),
    after=st.text(max_size=7),
    other=st.binary(max_size=5),
    plus=st.booleans(),
)
def test_no_secret_survives_in_any_encoding(secret, before, after, other, plus):
    encoder = quote_plus if plus else quote
    core = base64.b64encode(other + secret.encode()).decode()
    forms = [
        secret,
        encoder(secret),
        lower_hex(encoder(secret, safe="")),
        core,
        core.replace("+", "-").replace("/", "_"),
    ]
    for form in forms:
        shown = masked(before + form + after, secret)
        assert "***" in shown
        assert form not in shown


@given(st.text(), st.text(min_size=6))
def test_what_holds_no_secret_stays_as_it_is(text, secret):
    if "***" not in masked(text, secret):
        assert masked(text, secret) == text
