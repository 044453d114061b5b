"""Which addresses may be connected to: judged as addresses, after resolution, whatever the name looked like."""

import pytest

from oauth_provider.outbound.addresses import AddressRefused, allowed, is_allowed, is_plain_host

PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
# Only for backends that staff marked internal
INTERNAL = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "100.64.0.1", "100.127.255.254", "198.18.0.1", "198.19.255.255", "::1", "fc00::1", "fd00::1", "fec0::1",
    # The same, carried in IPv6
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:192.168.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1",
    "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1",
]  # fmt: skip
# For nobody
NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.169.254", "192.0.0.192", "192.0.0.170",  # noqa: S104 - not bound
    "100.100.100.200",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1", "ff02::1",
    "fd00:ec2::254", "fd20:ce::254", "fe80::1%eth0",
    "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe", "64:ff9b:1::169.254.169.254", "2002:a9fe:a9fe::1",
    "::169.254.169.254", "2001:0:a9fe:a9fe::1", "::ffff:224.0.0.1",
    # Not an address at all
    "", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "1.1.1.1:80", "1.1.1.1/32",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("allow_private", [True, False])
def test_public_addresses_may_be_called(address: str, allow_private: bool) -> None:
    assert is_allowed(address, allow_private=allow_private)


@pytest.mark.parametrize("address", INTERNAL)
def test_internal_addresses_only_when_staff_said_so(address: str) -> None:
    assert not is_allowed(address, allow_private=False)
    assert is_allowed(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allow_private", [True, False])
def test_some_addresses_are_never_called(address: str, allow_private: bool) -> None:
    assert not is_allowed(address, allow_private=allow_private)


@pytest.mark.parametrize("allow_private", [True, False])
def test_an_address_of_documentation_is_nobodys(allow_private: bool) -> None:
    assert not is_allowed("203.0.113.1", allow_private=allow_private)
    assert not is_allowed("2001:db8::1", allow_private=allow_private)


def test_of_split_answers_only_the_good_ones_are_left() -> None:
    answers = ["10.0.0.1", "1.1.1.1", "169.254.169.254", "127.0.0.1", "1.1.1.1"]
    assert allowed(answers, allow_private=False) == ["1.1.1.1"]
    assert sorted(allowed(answers, allow_private=True)) == ["1.1.1.1", "10.0.0.1", "127.0.0.1"]


def test_calls_are_spread_over_the_addresses_of_a_name() -> None:
    answers = ["1.1.1.1", "1.0.0.1"]
    assert {allowed(answers, allow_private=False)[0] for _try in range(50)} == set(answers)


@pytest.mark.parametrize("answers", [[], ["127.0.0.1"], ["169.254.169.254", "10.0.0.1"]])
def test_without_a_good_one_none_is_called(answers: list[str]) -> None:
    with pytest.raises(AddressRefused):
        allowed(answers, allow_private=False)


@pytest.mark.parametrize("host", ["a.example", "xn--80ak6aa92e.com", "10.0.0.1", "::1", "localhost", "a-b.c1"])
def test_a_name_or_a_complete_address_is_a_host(host: str) -> None:
    assert is_plain_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "a..b",
        "-a.b",
        "a_b.c",
        "A.example",
        "a.example.",
        "a b",
        "é.fr",
    ],
)
def test_what_parsers_read_differently_is_no_host(host: str) -> None:
    assert not is_plain_host(host)
