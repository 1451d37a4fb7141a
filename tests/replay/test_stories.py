"""The truth table of replay, told to the real manager."""

import pytest

from support.manager_world import ManagerWorld
from support.story import Story, load

STORIES = load()


@pytest.mark.parametrize("title", STORIES)
def test_story(title):
    Story(ManagerWorld()).tell(STORIES[title])
