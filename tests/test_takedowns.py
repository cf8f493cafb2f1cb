"""Once the command has returned, no answer shows what was taken down, over whatever way, while others rebuild."""

from __future__ import annotations

from takedowns import WAYS, soak


def test_nobody_who_asks_after_a_takedown_is_shown_the_article() -> None:
    taken, shown = soak(10, 300, commands=0.1)
    assert [one.how for one in taken].count("process") == 1
    assert len(taken) == 10
    assert {way for one in taken for way in one.last} == set(WAYS)
    assert [(one.article.id, one.late) for one in taken if one.late] == []
    assert shown == 0
