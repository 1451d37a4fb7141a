"""What the draft offers to write, in a browser, whose kernel takes its time."""

import pytest

pytestmark = pytest.mark.slow("drives real applications in a browser")

MADE = """async () => {
    const { Offers } = await import('/switcher/offers.js');
    window.asked = [];
    window.attached = [];
    window.area = document.body.appendChild(document.createElement('textarea'));
    const request = (_, { text }) => new Promise(resolve => asked.push({ text, resolve }));
    const offers = new Offers(area, { request }, name => attached.push(name));
    document.body.append(offers.element);
    area.focus();
}"""
ANSWERED = """names => window.asked.shift().resolve({
    word: 'fr', offers: names.map(text => ({ text, type: 'variable', about: 'int' }))
})"""


@pytest.fixture
def page(context, origin):
    page = context.new_page()
    page.goto(origin)
    page.evaluate(MADE)
    return page


def shown(page):
    return page.get_by_role("option").locator("bdi").all_inner_texts()


def test_a_key_takes_what_fits_what_is_typed_before_the_kernel_has_answered_that(page):
    page.keyboard.type("see {{ fr")
    page.evaluate("() => asked.splice(0, asked.length - 1)")  # what was typed on is answered to nobody
    page.evaluate(ANSWERED, ["frame", "friend", "fruit"])
    page.get_by_role("option", name="fruit").wait_for()
    page.keyboard.type("ui")
    assert shown(page) == ["fruit"]
    page.keyboard.press("Enter")
    assert page.evaluate("area.value") == "see {{ fruit }}"


def test_what_fits_nothing_that_is_offered_offers_nothing(page):
    page.keyboard.type("{{ fr")
    page.evaluate("() => asked.splice(0, asked.length - 1)")
    page.evaluate(ANSWERED, ["frame", "fruit"])
    page.get_by_role("option", name="fruit").wait_for()
    page.keyboard.type("x")
    assert shown(page) == []


def test_a_variable_is_attached_by_what_is_typed_of_it(page):
    page.keyboard.type("@fr")
    page.evaluate("() => asked.splice(0, asked.length - 1)")
    page.evaluate(ANSWERED, ["frame", "fruit"])
    page.get_by_role("option", name="fruit").wait_for()
    page.keyboard.type("u")
    assert shown(page) == ["fruit"]
    page.keyboard.press("Enter")
    assert page.evaluate("[area.value, attached]") == ["", ["fruit"]]
