"""Posting outward: what is refused before a byte is sent, and what each answer means."""

from __future__ import annotations

import pytest

from app.adapters.outward import Gone, Outward, Refused, is_public
from app.errors import Unavailable
from tests.fakes.receiver import receiving
from tests.fakes.smtp import make_certificate
from tests.processes import free_port

HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


def resolving(*addresses: str):
    """A name server that knows one answer, and how often it was asked."""
    asked = []

    async def resolve(host, port):
        asked.append(host)
        return list(addresses)

    return resolve, asked


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",  # a name that resolves to loopback
        "2130706433",  # 127.0.0.1 as one number
        "0.0.0.0",
        "10.0.0.7",
        "192.168.1.1",
        "172.16.3.4",
        "169.254.169.254",
        "100.64.0.1",
        "[::1]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
    ],
)
async def test_nothing_is_sent_to_the_inside(receiver, host):
    with pytest.raises(Refused, match="is inside a network"):
        await Outward(inside=False).post(f"http://{host}:{receiver.port}/hook", b"{}", HEADERS)
    assert receiver.bodies == []


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)
    assert not is_public("no address")


async def test_one_inside_address_among_those_of_a_name_is_enough(receiver):
    resolve, _ = resolving("93.184.216.34", "127.0.0.1")
    with pytest.raises(Refused, match=r"hook\.example is inside a network \(127\.0\.0\.1\)"):
        await Outward(inside=False, resolve=resolve).post("http://hook.example/", b"{}", HEADERS)


async def test_a_name_is_resolved_once_and_the_address_that_was_looked_at_is_used(receiver):
    resolve, asked = resolving("127.0.0.1")
    url = f"http://hook.example:{receiver.port}/a?b=c"
    await Outward(inside=True, resolve=resolve).post(url, b'{"a":1}', HEADERS)
    assert asked == ["hook.example"]
    assert receiver.bodies == [b'{"a":1}']
    assert receiver.heads[0]["host"] == f"hook.example:{receiver.port}"


async def test_a_certificate_is_that_of_the_name_not_of_the_address(tmp_path):
    server, client = make_certificate(tmp_path)
    with receiving(server) as receiver:
        for name, taken in (("localhost", 1), ("other.example", 1)):
            resolve, _ = resolving("127.0.0.1")
            outward = Outward(inside=True, resolve=resolve, tls=client)
            url = f"https://{name}:{receiver.port}/hook"
            if name == "localhost":
                await outward.post(url, b"{}", HEADERS)
            else:
                with pytest.raises(Unavailable, match="cannot be reached"):
                    await outward.post(url, b"{}", HEADERS)
            assert len(receiver.bodies) == taken


async def test_a_redirect_is_not_followed(receiver):
    with receiving() as inside:
        receiver.status, receiver.location = 307, inside.url
        with pytest.raises(Refused, match=r"leads to another address \(307\)"):
            await Outward(inside=True).post(receiver.url, b"{}", HEADERS)
        assert inside.bodies == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (204, None), (400, Refused), (403, Refused), (404, Gone), (410, Gone),
     (408, Unavailable), (429, Unavailable), (500, Unavailable), (503, Unavailable)],
)  # fmt: skip
async def test_what_an_answer_means(receiver, status, error):
    receiver.status = status
    outward = Outward(inside=True)
    if error is None:
        await outward.post(receiver.url, b"{}", HEADERS)
    else:
        with pytest.raises(error) as failed:
            await outward.post(receiver.url, b"{}", HEADERS)
        assert type(failed.value) is error
        assert f"({status})" in str(failed.value)


async def test_who_never_answers_is_given_up(receiver):
    receiver.answers = False
    with pytest.raises(Unavailable, match=r"did not answer within 0\.2 seconds"):
        await Outward(inside=True, patience=0.2).post(receiver.url, b"{}", HEADERS)


async def test_who_is_not_there_may_be_there_later():
    with pytest.raises(Unavailable, match="cannot be reached"):
        await Outward(inside=True).post(f"http://127.0.0.1:{free_port()}/", b"{}", HEADERS)
    with pytest.raises(Unavailable, match=r"no-such-host\.invalid cannot be found"):
        await Outward(inside=True).check("http://no-such-host.invalid/")
