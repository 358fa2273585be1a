import pytest

from appliance.host import passwords


def test_passwords_are_salted_and_slow() -> None:
    one, two = passwords.hash_password("some password"), passwords.hash_password("some password")
    assert one != two
    assert passwords.verify_password("some password", one)
    assert passwords.verify_password("some password", two)
    assert not passwords.verify_password("some passwore", one)
    assert int(one.split("$")[1]) >= 2**14


def test_the_factory_password_holds_until_there_is_another() -> None:
    assert passwords.verify_password("printmonitor", "")
    assert not passwords.verify_password("", "")
    assert not passwords.verify_password("printmonitor", passwords.hash_password("some password"))


@pytest.mark.parametrize(
    "wanted",
    [
        "x",
        "scrypt$16384$8$1$$",
        "scrypt$0$8$1$AA==$AA==",
        "scrypt$1073741824$8$1$AA==$AA==",
        "md5$1$1$1$AA==$AA==",
    ],
)
def test_a_hash_that_is_none_opens_nothing(wanted: str) -> None:
    assert not passwords.verify_password("printmonitor", wanted)
