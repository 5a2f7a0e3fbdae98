from warehouse import build


def test_build():
    expected = "SELECT user_id FROM prod.core.users_v1"
    assert build("users") == expected
    assert build("more") == "SELECT country FROM prod.core.users_v1"
