"""The calendar part: corrections as the operator reads and writes them."""

from __future__ import annotations

from tests.graphql.asking import ask, fail

FIELDS = "mic day closed openAt closeAt reason active editedAt shipped confirmed"
SAVE = f"""mutation($input: SessionOverrideInput!) {{
    saveSessionOverride(input: $input) {{ {FIELDS} }} }}"""


async def test_shipped_corrections_are_read_in_the_language_of_the_reader(env):
    query = f"""{{ sessionOverrides(mic: "XKRX", from: "2026-11-01", to: "2026-12-31")
        {{ {FIELDS} }} }}"""
    (row,) = (await ask(env, query))["sessionOverrides"]
    assert row == {
        "mic": "XKRX",
        "day": "2026-11-19",
        "closed": False,
        "openAt": "2026-11-19T01:00:00Z",
        "closeAt": "2026-11-19T07:30:00Z",
        "reason": "College entrance exam (CSAT)",
        "active": True,
        "editedAt": None,
        "shipped": True,
        "confirmed": True,
    }
    (korean,) = (await ask(env, query, locale="ko"))["sessionOverrides"]
    assert korean["reason"] == "대학수학능력시험일"


async def test_a_correction_is_written_withdrawn_and_restored(env):
    wanted = {"mics": ["XNYS", "XNAS"], "day": "2026-10-15", "closed": True, "reason": "Storm"}
    saved = (await ask(env, SAVE, {"input": wanted}))["saveSessionOverride"]
    assert [(row["mic"], row["closed"], row["shipped"]) for row in saved] == [
        ("XNYS", True, False),
        ("XNAS", True, False),
    ]
    assert saved[0]["editedAt"].endswith("Z")
    query = 'mutation { %s(mic: "XNYS", day: "2026-10-15") { active } }'
    removed = await ask(env, query % "removeSessionOverride")
    assert removed == {"removeSessionOverride": {"active": False}}
    restored = await ask(env, query % "restoreSessionOverride")
    assert restored == {"restoreSessionOverride": {"active": True}}


async def test_hours_that_are_none_name_their_field(env):
    wanted = {"mics": ["XNYS"], "day": "2026-10-15", "closed": False, "reason": "Storm"}
    error = await fail(env, SAVE, {"input": wanted | {"opens": "13:00", "closes": "09:30"}})
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "closes"}
    error = await fail(
        env, 'mutation { removeSessionOverride(mic: "X", day: "2026-10-15") { mic } }'
    )
    assert error["extensions"] == {"code": "NOT_FOUND"}


async def test_a_page_holds_at_most_200_corrections_and_one_at_least(env):
    found = await ask(env, "{ sessionOverrides(first: 1000) { day } }")
    assert len(found["sessionOverrides"]) > 5
    error = await fail(env, "{ sessionOverrides(first: 0) { day } }")
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "first"}
