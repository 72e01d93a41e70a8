"""The states of a lost code, over every pair."""

import pytest

from services.intake.domain.rewards.reissue import TABLE, CodeAct, CodeState, NotNow, after


@pytest.mark.parametrize("state", CodeState)
@pytest.mark.parametrize("act", CodeAct)
def test_every_pair_is_allowed_or_refused_as_the_table_says(state: CodeState, act: CodeAct) -> None:
    if (state, act) in TABLE:
        assert after(state, act, actor="b", first_by="a") is TABLE[state, act]
    else:
        with pytest.raises(NotNow) as refused:
            after(state, act, actor="b", first_by="a")
        assert refused.value.code == "decided"


def test_the_first_person_is_not_the_second() -> None:
    with pytest.raises(NotNow) as refused:
        after(CodeState.AGREED, CodeAct.AGREE, actor="a", first_by="a")
    assert refused.value.code == "same-person"
    assert after(CodeState.AGREED, CodeAct.REFUSE, actor="a", first_by="a") is CodeState.REFUSED
