"""Mails as people report them, and mails made to hurt whoever reads them."""

from __future__ import annotations

import base64
import hashlib
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden_desktop.adapters.sources.forms import BadForm, read
from warden_desktop.adapters.sources.forms.hypertext import addresses_in, addresses_in_html, words_of

HEAD = b"From: a@b.example\nSubject: x\n"


def mail(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = read("mail", body)
    return found


def phish() -> EmailMessage:
    """What a mail client writes."""
    message = EmailMessage(policy=SMTP)
    message["Received"] = "from evil.example by gateway.corp.example; Fri, 20 Nov 2026 22:41:50 +0000"
    message["Authentication-Results"] = "gateway.corp.example; spf=softfail smtp.mailfrom=evil.example; dmarc=fail"
    message["From"] = '"ceo@corp.example" <boss@evil.example>'
    message["Reply-To"] = "collect@elsewhere.example"
    message["To"] = "Ann <ann@corp.example>, bob@corp.example"
    message["Subject"] = "Überweisung, dringend: \U0001f4b8"
    message["Message-ID"] = "<1234@evil.example>"
    message["Date"] = "Fri, 20 Nov 2026 22:41:55 +0000"
    message.set_content("Pay here: https://evil.example/pay?a=1.\n")
    message.add_alternative('<p>Pay <a href="https://evil.example/pay?a=1&amp;b=2">here</a></p>', subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Rechnung ü.pdf")
    return message


# --- what it says -------------------------------------------------------------------------------------------------


def test_a_mail_says_who_what_and_where_to() -> None:
    said = mail(phish().as_bytes())
    assert said["from"] == [{"name": "ceo@corp.example", "address": "boss@evil.example"}]
    assert said["reply_to"] == [{"name": "", "address": "collect@elsewhere.example"}]
    assert [one["address"] for one in said["to"]] == ["ann@corp.example", "bob@corp.example"]
    assert (said["subject"], said["message_id"]) == ("Überweisung, dringend: \U0001f4b8", "<1234@evil.example>")
    assert said["date"] == "Fri, 20 Nov 2026 22:41:55 +0000"
    assert said["text"].strip() == "Pay here: https://evil.example/pay?a=1."
    assert said["html_text"] == "Pay here"
    assert said["urls"] == ["https://evil.example/pay?a=1&b=2", "https://evil.example/pay?a=1"]


def test_an_attachment_is_its_name_and_its_digests() -> None:
    (one,) = mail(phish().as_bytes())["attachments"]
    assert one == {
        "name": "Rechnung ü.pdf", "content_type": "application/pdf", "size": 4,
        "sha256": hashlib.sha256(b"%PDF").hexdigest(), "md5": hashlib.md5(b"%PDF").hexdigest(),
    }  # fmt: skip


def test_the_first_authentication_results_count_and_those_below_do_not() -> None:
    forged = phish().as_bytes().replace(b"From:", b"Authentication-Results: me; spf=pass; dkim=pass\r\nFrom:", 1)
    said = mail(forged)["authentication"]
    assert (said["spf"], said["dkim"], said["dmarc"]) == ("softfail", "", "fail")
    assert len(said["results"]) == 2


def test_without_them_received_spf_is_better_than_nothing() -> None:
    assert mail(b"Received-SPF: Fail (x)\n" + HEAD + b"\n")["authentication"]["spf"] == "fail"


def test_the_mail_that_is_reported_is_within_the_one_that_reports_it() -> None:
    report = EmailMessage(policy=SMTP)
    report["From"], report["Subject"] = "ann@corp.example", "Phishing report"
    report.set_content("look")
    report.add_attachment(phish())
    said = mail(report.as_bytes())
    assert said["from"][0]["address"] == "ann@corp.example"
    (within,) = said["attached"]
    assert within["from"][0]["address"] == "boss@evil.example"
    assert within["attachments"][0]["name"] == "Rechnung ü.pdf"
    assert said["urls"] == []


@pytest.mark.parametrize(
    ("header", "people"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("A B <a@b.example>", [("A B", "a@b.example")]),
        ('"B, A" <a@b.example>, c@d.example', [("B, A", "a@b.example"), ("", "c@d.example")]),
        ("=?utf-8?q?Boss=2C_x=40y=2Eexample?= <a@b.example>", [("Boss, x@y.example", "a@b.example")]),
        ('"x@y.example" <a@b.example>', [("x@y.example", "a@b.example")]),
        ("<a@b.example> (comment)", [("", "a@b.example")]),
        ("A <x@y.example> <a@b.example>", [("A", "a@b.example")]),
        ("undisclosed-recipients:;", [("", "undisclosed-recipients:")]),
        ("", []),
        (",,,", []),
        ('"unclosed <a@b.example>', [("unclosed", "a@b.example")]),
    ],
)
def test_people_are_names_and_addresses(header: str, people: list[tuple[str, str]]) -> None:
    said = mail(f"To: {header}\n".encode() + HEAD + b"\n")
    assert [(one["name"], one["address"]) for one in said["to"]] == people


@pytest.mark.parametrize(
    ("header", "subject"),
    [(b"Subject: =?utf-8?b?w4Q=?=", "Ä"), (b"Subject: =?nobody?q?a?= b", "=?nobody?q?a?= b"),
     (b"Subject: \xc3\x84", "Ä"), (b"Subject: \xe4", "\ufffd"), (b"Subject: a\n  b\n\tc", "a b c"),
     (b"Subject: =?unicode_escape?q?=5Cud800?=", "\ufffd"), (b"SUBJECT:a", "a")],
)  # fmt: skip
def test_a_subject_is_text_whatever_it_was(header: bytes, subject: str) -> None:
    assert mail(b"From: a@b.example\n" + header + b"\n\n")["subject"] == subject


@pytest.mark.parametrize(
    ("head", "content", "text"),
    [
        (b"Content-Type: text/plain; charset=iso-8859-1", b"\xe4", "ä"),
        (b"Content-Type: text/plain; charset=nobody", b"\xc3\xa4", "ä"),
        (b"Content-Type: text/plain; charset=punycode", b"a-b", "a-b"),
        (b"Content-Type: text/plain; charset=\"\xff\"", b"a", "a"),
        (b"Content-Type: text/plain; charset=utf-16", b"a\x00\x00\xd8", "a\ufffd"),
        (b"Content-Transfer-Encoding: base64", base64.b64encode("ä".encode()), "ä"),
        (b"Content-Transfer-Encoding: base64", b"????", ""),
        (b"Content-Transfer-Encoding: quoted-printable", b"=C3=A4=", "ä"),
        (b"Content-Transfer-Encoding: nonsense", b"a", "a"),
        (b"X: y", b"\xff\x00", "\ufffd\x00"),
    ],
)  # fmt: skip
def test_a_text_is_text_whatever_it_was(head: bytes, content: bytes, text: str) -> None:
    said = mail(HEAD + head + b"\n\n" + content)["text"]
    assert said == text


def test_a_header_without_end_is_cut() -> None:
    said = mail(b"Subject: " + b"x" * 900_000 + b"\n" + b" y" * 50_000 + b"\n\n")
    assert 3_900 < len(said["subject"]) <= 4_000


# --- links --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "urls"),
    [
        ("<a href='https://a.example/'>", ["https://a.example/"]),
        ("<a HREF = https://a.example/x>y", ["https://a.example/x"]),
        ('<img src="http://a.example/p.gif?u=1&amp;v=2">', ["http://a.example/p.gif?u=1&v=2"]),
        ('<form action="https://a.example/login">', ["https://a.example/login"]),
        ('<meta http-equiv=refresh content="0;url=https://a.example/r">', ["https://a.example/r"]),
        ('<a href="&#104;ttps://a.example/">', ["https://a.example/"]),
        ('<a href="https://a.exam\nple/">', ["https://a.example/"]),
        ('<a href="javascript:alert(1)"><a href="mailto:x@y"><a href="/x"><a href="data:text/html,x">', []),
        ('<a href="https://a.example/unclosed', ["https://a.example/unclosed"]),
    ],
)
def test_addresses_behind_links_are_found_and_only_those_for_a_browser(html: str, urls: list[str]) -> None:
    assert list(addresses_in_html(html)) == urls


def test_addresses_in_text_end_before_the_sentence_does() -> None:
    text = "See (https://a.example/x), <http://b.example> or ftp://c.example/y. Not hxxp://d.example"
    assert list(addresses_in(text)) == ["https://a.example/x", "http://b.example", "ftp://c.example/y"]


def test_the_words_of_a_page_are_what_one_sees() -> None:
    page = "<head><title>t</title></head><style>p{}</style><p>One&nbsp;&lt;b&gt;</p>\n<script>x<y</script><div>two  3"
    assert words_of(page) == "One <b>\ntwo 3"
    assert words_of("a < b") == "a"


# --- to hurt ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "none of the headers"),
        (b"\n\nhello", "none of the headers"),
        (b'{"title": "x"}', "none of the headers"),
        (HEAD + b"\n" * 40_001, "more than 40000 lines"),
        (HEAD + b"\r" * 40_001, "more than 40000 lines"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 401, "more than 400 parts"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 41, "more than 40 nested parts"),
        (HEAD + b"Content-Type: message/rfc822\n\n" * 41, "more than 40 nested parts"),
    ],
)
def test_what_is_no_mail_or_takes_too_long_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(BadForm, match=why) as caught:
        mail(body)
    assert caught.value.code == "bad_mail"


@pytest.mark.parametrize("odd", [b"(" * 4000, b'"' * 4000, b'"\\' * 2000, b"<" * 4000, b"a@b," * 1000, b"=?" * 2000])
def test_headers_made_to_keep_a_parser_busy_are_read_in_one_pass(odd: bytes) -> None:
    said = mail(HEAD + b"To: " + odd + b"\nMessage-ID: " + odd + b"\nContent-Type: " + odd + b"\n\nhello")
    assert said["subject"] == "x"
    assert len(said["to"]) <= 200


def test_messages_within_messages_end_somewhere() -> None:
    nested = HEAD + b"\nhello"
    for _ in range(15):
        nested = HEAD + b"Content-Type: message/rfc822\n\n" + nested
    said, depth = mail(nested), 0
    while said["attached"]:
        (said,), depth = said["attached"], depth + 1
    assert depth == 2


def test_a_crowd_of_everything_is_kept_within_bounds() -> None:
    part = b"--b\nContent-Type: application/x; name=n\n\nx\n"
    links = b" ".join(b"https://a.example/%d" % number for number in range(1000))
    body = HEAD + b"X: y\n" * 1000 + b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 300 + b"--b\n\n" + links
    said = mail(body)
    assert (len(said["attachments"]), len(said["urls"]), sum(map(len, said["headers"].values()))) == (100, 200, 200)


PIECES = st.sampled_from(
    [b"From: ", b"To: ", b"Subject: ", b"Received: ", b"Authentication-Results: spf=", b"Content-Type: ", b"text/html",
     b"multipart/mixed; boundary=b", b"message/rfc822", b"\n", b"\r\n", b"\r", b"--b", b"--b--", b" ", b"\t", b"\x00",
     b"Content-Disposition: attachment; filename*0*=", b"filename*=utf-8''%ff", b"Content-Transfer-Encoding: ",
     b"base64", b"quoted-printable", b"x-uuencode", b"begin 666 x", b"charset=", b"charset*0*=''x", b"utf-7", b"idna",
     b"=?utf-8?q?", b"?=", b"(", b'"', b"<", b">", b";", b"=", b"\\", b"\xff", b"a@b.example", b"<a href=",
     b"https://x.example", b"&#xD800;"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=6), max_size=60).map(b"".join), st.booleans())
def test_any_bytes_are_a_mail_that_can_be_stored_or_are_refused(middle: bytes, whole: bool) -> None:
    try:
        said = mail(HEAD + middle if whole else middle)
    except BadForm:
        return
    assert orjson.dumps(said)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_words_and_addresses(text: str) -> None:
    assert isinstance(words_of(text), str)
    assert all(url.isprintable() or url for url in [*addresses_in(text), *addresses_in_html(f'<a href="{text}">')])
