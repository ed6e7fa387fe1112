"""Who is answered, and who is not: the token, the cookie, other names, other origins, and what no browser sends."""

import re
import socket
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.web.server import IDLE, MOST_BYTES
from tests.engine.web.reviewing import PASSPHRASE, Served, Waiting, waiting, write_key


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, made_key: tuple[PublicKey, bytes]) -> Waiting:
    """One for all: nothing here is an answer."""
    folder = tmp_path_factory.mktemp("waiting")
    return waiting(folder, write_key(folder / "anna.key", made_key[1]), made_key[0])


@pytest.fixture
def page(plan: Waiting) -> Iterator[Served]:
    with plan.served() as served:
        yield served
    assert plan.answers == []


def test_the_token_works_once(page: Served) -> None:
    got = page.ask(f"/?token={page.token}")
    assert (got.status, got.headers["Location"], got.text) == (303, "/", "")
    assert re.fullmatch(
        rf"seatwarden-review-{page.port}=[0-9a-f]{{64}}; HttpOnly; SameSite=Strict; Path=/", got.headers["Set-Cookie"]
    )
    page.cookie = got.headers["Set-Cookie"].partition(";")[0]
    assert page.ask("/").status == 200
    for cookie in (None, page.cookie):
        again = page.ask(f"/?token={page.token}", Cookie=cookie)
        assert (again.status, "Set-Cookie" in again.headers) == (403, False)
        assert "start it again" in again.text
        assert ('href="/"' in again.text) == (cookie is not None)


@pytest.mark.parametrize("query", ["token=", "token=x", "token", "token=%00", "x=y", "token=\xff", "token=a&token=b"])
def test_no_other_token_works(page: Served, query: str) -> None:
    got = page.ask(f"/?{query.encode('latin-1').decode('latin-1')}".encode("ascii", "replace").decode())
    assert (got.status, "Set-Cookie" in got.headers) == (403, False)
    assert page.enter().ask("/").status == 200, "it is still good"


def test_who_only_looks_does_not_use_it(page: Served) -> None:
    assert page.ask(f"/?token={page.token}", "HEAD").status == 403
    page.enter()


def test_a_browser_that_guesses_does_not_use_it(page: Served) -> None:
    got = page.ask(f"/?token={page.token}", Sec_Purpose="prefetch;prerender")
    assert (got.status, "Set-Cookie" in got.headers) == (503, False)
    page.enter()


def test_who_was_led_here_by_another_page_is_led_on_by_us(page: Served) -> None:
    got = page.ask(f"/?token={page.token}", Sec_Fetch_Site="cross-site")
    assert (got.status, "Set-Cookie" in got.headers) == (200, True)
    assert '<meta http-equiv="refresh" content="0; url=/">' in got.text
    assert page.token not in got.text


@pytest.mark.parametrize("path", ["/", "/answer", "/report.html", "/favicon.ico", "/../../etc/passwd", "//", "/%2e%2e"])
@pytest.mark.parametrize("cookie", [None, "seatwarden-review-1=x", 'a="b', "seatwarden-review-{port}=0", "=;;=,"])
def test_without_the_cookie_there_is_nothing(page: Served, path: str, cookie: str | None) -> None:
    page.enter()
    got = page.ask(path, Cookie=cookie and cookie.format(port=page.port))
    assert (got.status, "seatwarden review" in got.text) == (403, True)
    assert "ACME" not in got.text


def test_before_the_token_was_used_no_cookie_counts(page: Served) -> None:
    cookie = page.review.session.cookie(page.port).partition(";")[0]
    assert page.ask("/", Cookie=cookie).status == 403


@pytest.mark.parametrize("path", ["/report.html", "/favicon.ico", "/index.html", "/?x=y", "/answer"])
def test_elsewhere_there_is_nothing(page: Served, path: str) -> None:
    assert page.enter().ask(path).status == (403 if "?" in path else 404)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
def test_the_names_of_this_machine(page: Served, host: str) -> None:
    assert page.enter().ask("/", Host=host.format(port=page.port)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:1",
        "127.0.0.1:{port}.evil.example",
        "localhost.evil.example:{port}",
        "127.0.0.2:{port}",
        "[::1]:{port}",
        "0.0.0.0:{port}",
        "2130706433:{port}",
    ],
)
def test_a_name_that_was_bound_anew_gets_nothing(page: Served, host: str | None) -> None:
    host = host and host.format(port=page.port)
    token = page.ask(f"/?token={page.token}", Host=host)
    assert (token.status, "Set-Cookie" in token.headers) == (421, False)
    form = page.enter().form()
    assert page.ask("/", Host=host).status == 421
    body = f"root={form['root']}&proof={form['proof']}&answer=approve&passphrase={PASSPHRASE}".replace(" ", "+")
    origin = f"http://{host}" if host else None
    assert page.ask("/answer", "POST", body.encode(), Host=host, Origin=origin).status == 421


def test_two_names_are_none(page: Served) -> None:
    with socket.create_connection(("127.0.0.1", page.port), timeout=5) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{page.port}\r\nHost: evil.example\r\n\r\n".encode())
        assert b" 421 " in connection.recv(100)


def _sent(page: Served, **headers: str | None) -> int:
    """The status of an answer that would count, but for these headers."""
    form = page.form()
    body = f"root={form['root']}&proof={form['proof']}&answer=approve&passphrase=wrong+as+can+be".encode()
    return page.ask("/answer", "POST", body, **headers).status


def test_an_answer_of_the_page_itself(page: Served) -> None:
    page.enter()
    assert _sent(page) == 422
    assert _sent(page, Origin=f"http://127.0.0.1:{page.port}", Sec_Fetch_Site="same-origin") == 422
    name = f"localhost:{page.port}"
    assert _sent(page, Host=name, Origin=f"http://{name}", Content_Type="application/x-www-form-urlencoded; charset=UTF-8") == 422  # fmt: skip # noqa: E501


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Cookie": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Origin": "http://127.0.0.1:{port}.evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "none"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": None}, 415),
        ({"Content_Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content_Type": "application/json"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded; charset=utf-16"}, 415),
    ],
)
def test_an_answer_of_another_page(page: Served, headers: dict[str, str | None], status: int) -> None:
    page.enter()
    filled = {name: value and value.format(port=page.port) for name, value in headers.items()}
    assert _sent(page, **filled) == status
    assert page.review._wrong == 0, "no passphrase was tried"


@pytest.mark.parametrize("proof", ["", "0" * 64, "ü", None])
def test_an_answer_without_the_proof(page: Served, proof: str | None) -> None:
    form = page.enter().form()
    del form["proof"]
    got = page.send(form, passphrase=PASSPHRASE, **({} if proof is None else {"proof": proof}))
    assert got.status == 403


def test_the_proof_of_another_session(page: Served, plan: Waiting) -> None:
    with plan.served() as other:
        proof = other.enter().form()["proof"]
    # What a test draws is counted, and so never the same.
    assert page.enter().send(proof=proof, passphrase=PASSPHRASE).status == 403


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", b""),
        (b"\xff\xfe", b""),
        (b"answer=%ff%fe", b""),
        (b"answer", b""),
        (b"answer=perhaps", b"no answer"),
        (b"answer=approve&answer=reject", b"twice"),
        (b"answer=approve&release=x", b"no number"),
        (b"answer=approve&release=-1", b"no number"),
        (b"answer=approve&release=" + b"9" * 5_000, b"no number"),
        ("answer=approve&release=٣".encode(), b""),
        (b"&".join([b"a=b"] * 100_001), b""),
    ],
)
def test_what_is_no_form(page: Served, body: bytes, said: bytes) -> None:
    got = page.enter().ask("/answer", "POST", body)
    assert (got.status, said.decode() in got.text) == (400, True)


def test_a_form_that_is_too_large(page: Served) -> None:
    page.enter()
    assert page.ask("/answer", "POST", b"", Content_Length=str(MOST_BYTES + 1)).status == 413
    assert page.ask("/answer", "POST", b"", Content_Length="9" * 40).status == 400
    assert page.ask("/answer", "POST", b"", Content_Length="-1").status == 400
    assert page.ask("/answer", "POST", b"", Content_Length="1_0").status == 400
    assert page.ask("/answer", "POST", b"", Content_Length=None).status == 411
    assert page.ask("/answer", "POST", b"", Transfer_Encoding="chunked").status == 411
    assert page.ask("/answer", "POST", b"x" * MOST_BYTES).status == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/answer", "/?token={token}"])
def test_other_methods(page: Served, method: str, path: str) -> None:
    got = page.ask(path.format(token=page.token), method)
    assert (got.status, got.headers["Allow"]) == (405, "GET, HEAD, POST")
    page.enter()


@pytest.mark.parametrize("line", ["<b>HI</b> / HTTP/1.0", "GET /<b> HTTP/9.9", "<b>", "GET / <b> <b>"])
def test_what_is_no_question(page: Served, line: str) -> None:
    with socket.create_connection(("127.0.0.1", page.port), timeout=5) as connection:
        connection.sendall(f"{line}\r\nHost: 127.0.0.1:{page.port}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert b"this is no question" in answer
    assert b"<b>" not in answer.partition(b"\r\n\r\n")[2]


def test_an_answer_goes_to_one_place(page: Served) -> None:
    page.enter()
    for path in ("/", "/answer/", "/answer?x=y", "/?token=x"):
        assert page.ask(path, "POST", b"answer=approve").status == 404


def test_head_is_get_without_a_body(page: Served) -> None:
    page.enter()
    got, asked = page.ask("/"), page.ask("/", "HEAD")
    assert (asked.status, asked.text) == (200, "")
    assert asked.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.text.encode()))


@pytest.mark.parametrize("path", ["/", "/nothing", "/?token=x", "/answer"])
@pytest.mark.parametrize("entered", [True, False])
def test_every_page_is_strict(page: Served, path: str, entered: bool) -> None:
    if entered:
        page.enter()
    got = page.ask(path)
    policy = {part.split()[0]: part.split()[1:] for part in got.headers["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    shown = entered and path == "/"
    assert policy["form-action"] == ["'self'" if shown else "'none'"]
    for source in (*policy["style-src"], *policy.get("script-src", [])):
        assert source.startswith("'sha256-"), source
    in_page = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', got.text)
    assert [f"{one.replace('&#39;', chr(39))}; frame-ancestors 'none'" for one in in_page] == [
        got.headers["Content-Security-Policy"]
    ]
    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Referrer-Policy"] == ("same-origin" if shown else "no-referrer")
    assert got.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert got.headers["Server"].strip() == "seatwarden"


@pytest.mark.skipif(sys.platform != "linux", reason="others have one address of loopback")
def test_only_on_loopback(page: Served) -> None:
    # An address of loopback too, but not the one: who listens on all addresses listens there.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", page.port), timeout=5)


def test_nothing_is_logged(page: Served, capfd: pytest.CaptureFixture[str]) -> None:
    page.enter()
    _sent(page)
    page.ask("/nothing", "POST", b"passphrase=secret")
    with socket.create_connection(("127.0.0.1", page.port), timeout=5) as rude:
        rude.sendall(b"POST /answer HTTP/1.0\r\nContent-Length: 10\r\n\r\npass")
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_defect_signs_nothing_and_says_nothing(plan: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError(PASSPHRASE)

    monkeypatch.setattr("seatwarden.engine.web.review.read_signing_key", broken)
    with plan.served(defects=1) as page:
        got = page.enter().send(passphrase=PASSPHRASE)
        assert (got.status, PASSPHRASE in got.text) == (500, False)
    assert plan.answers == []


def test_after_half_an_hour_without_a_question_it_ends(
    page: Served, plan: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "now", plan.now)
    page.enter()
    plan.now += IDLE - timedelta(seconds=1)
    page.ask("/")
    plan.now += IDLE - timedelta(seconds=1)
    asked = page.running.asked
    page.ask("/", Cookie=None)
    assert page.running.asked == asked < plan.now, "who has no session does not keep it up"
    assert not page.running.over.is_set()
    plan.now += timedelta(seconds=1)
    assert page.running.wait(lambda: plan.now) is False
