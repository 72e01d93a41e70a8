"""What a template can ask about the request it is rendered for."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from markupsafe import Markup, escape

from shared.kit import ids, tracing
from shared.kit.access import ANONYMOUS, Caller
from shared.kit.settings import ServiceSettings
from shared.rules.plan import Plan
from shared.rules.plan.parts import Interval
from shared.web import i18n, static_files, times, wording
from shared.web.navigation import ENTRIES, MOST_IN_A_ROW, Entry, Group, grouped

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class View:
    """One request as a page sees it: language, caller, plans, settings and time."""

    request: Request
    service: str
    settings: ServiceSettings
    plans: Mapping[str, Plan]
    caller: Caller
    locale: str
    now: datetime
    public: bool = False
    fields: dict[str, int] = field(default_factory=dict)

    # -- words ----------------------------------------------------------------------------------------------------

    def gettext(self, text: str) -> str:
        return i18n.translations(self.locale).gettext(text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return i18n.translations(self.locale).ngettext(one, many, number)

    @property
    def language(self) -> str:
        """The page's language as HTML says it."""
        return "zh-CN" if self.locale == "zh_CN" else "en"

    def other_languages(self) -> list[tuple[str, str, str]]:
        """Code, own name and address of this page in each other language."""
        return [
            (code.replace("_", "-"), name, self.here(lang=code.partition("_")[0]))
            for code, name in i18n.LOCALES.items()
            if code != self.locale
        ]

    def words(self, text: Any) -> str:
        """A wording of the plan or the law (or a mapping with `zh` and `en`) in the page's language."""
        language = "zh" if self.locale == "zh_CN" else "en"
        if text is None:
            return ""
        return str(text[language] if isinstance(text, Mapping) else getattr(text, language))

    def word(self, vocabulary: str, code: str | None) -> str:
        """A code of `wording.WORDS` in words; an unknown one as it is."""
        if code is None:
            return self.gettext("Not known")
        known = wording.WORDS[vocabulary].get(code)
        return self.gettext(known) if known else code

    def badge(self, state: str | None, label: str | None = None, tone: str | None = None) -> Markup:
        """A state as a small coloured label; the colour never says more than the words."""
        words, usual = wording.BADGES.get(state or "", (state or "", "calm"))
        shown = label if label is not None else (self.gettext(words) if words else self.gettext("Not known"))
        return Markup('<span class="dc-badge dc-{}">{}</span>').format(tone or usual, shown)

    # -- forms ----------------------------------------------------------------------------------------------------

    def field_id(self, name: str) -> str:
        """An id for a field that no other field of the page has: its name, numbered where a form before it used it."""
        used = self.fields[name] = self.fields.get(name, 0) + 1
        return name if used == 1 else f"{name}-{used}"

    # -- time -----------------------------------------------------------------------------------------------------

    def dt(self, moment: datetime | None, exact: bool = False) -> Markup:
        """A moment in China time, said as people say it, the exact one on hover."""
        if moment is None:
            return Markup("—")
        full = times.exact(moment)
        shown = full[:16] if exact else times.said(moment, self.now, self.gettext)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), full, shown)

    def day(self, day: Any) -> Markup:
        """A date, or the China date of a moment."""
        shown = times.exact(day)[:10] if isinstance(day, datetime) else f"{day:%Y-%m-%d}"
        return Markup('<time datetime="{}">{}</time>').format(shown, shown)

    def remaining(self, due: datetime, now: datetime | None = None) -> str:
        """还剩2天, 已超时3小时."""
        return times.remaining(due, now or self.now, self.gettext, self.ngettext)

    def span(self, length: Any) -> str:
        """A timedelta in words."""
        return times.span(length, self.gettext, self.ngettext)

    def limit(self, unit: str, amount: Any) -> str:
        """A time limit in words: 24 hours, 7 working days, at once."""
        one, many = wording.UNITS.get(unit, ("", ""))
        if not one or amount is None:
            return self.gettext(wording.AT_ONCE)
        return self.ngettext(one, many, int(amount)) % {"num": int(amount)}

    def interval(self, every: Interval) -> str:
        """How often: every half month, every 2 months."""
        for unit in ("days", "weeks", "half_months", "months"):
            number = getattr(every, unit)
            if number:
                one, many = wording.INTERVALS[unit]
                return self.gettext(one if number == 1 else many) % {"num": number}
        raise AssertionError("an interval has one unit")

    def clock_tone(self, due: datetime, start: datetime | None = None) -> str:
        """calm, soon or late."""
        return times.tone(due, self.now, start)

    # -- the plan -------------------------------------------------------------------------------------------------

    def _plan(self, plan: str | None) -> Plan | None:
        known = self.plans.get(plan or self.caller.plan or "")
        return known or (next(iter(self.plans.values())) if len(self.plans) == 1 and not plan else None)

    def plan_name(self, plan: str | None = None) -> str:
        found = self._plan(plan)
        return self.words(found.name) if found else (plan or "")

    def area_name(self, area: str | None, plan: str | None = None) -> str:
        """An area's name; its code when the plan does not know it, and plain words when there is none."""
        if area is None:
            return self.gettext("Place not known")
        found = self._plan(plan)
        try:
            return self.words(found.area(area).name) if found else area
        except KeyError:
            return area

    def agency_name(self, agency: str | None, unit: str | None = None, plan: str | None = None) -> str:
        """An agency's name, with its unit's when one is given."""
        found = self._plan(plan)
        if agency is None or found is None:
            return agency or ""
        try:
            known = found.agency(agency)
        except KeyError:
            return agency
        inside = known.unit(unit) if unit else None
        name = self.words(known.name)
        return f"{name} · {self.words(inside.name)}" if inside else name

    def post_name(self, post: str, plan: str | None = None) -> str:
        found = self._plan(plan)
        return next((self.words(p.name) for p in found.posts if p.id == post), post) if found else post

    # -- addresses and rights -------------------------------------------------------------------------------------

    def has_right(self, right: str) -> bool:
        """Whether the caller has a right on some objects at least."""
        return self.caller.reach(right) is not None

    def url(self, service: str, path: str) -> str:
        """A page of a service; of this one without host, so that it works under any."""
        if service == self.service:
            return f"{self.settings.root_path}{path}"
        base = self.settings.base_url(service)
        host, named = urlsplit(base).hostname, self.request.url.hostname
        if host in _LOOPBACK and named in _LOOPBACK and host != named:
            # one machine under two names: a cookie belongs to the name that was typed
            base = base.replace(f"//{host}", f"//{named}", 1)
        return f"{base}{path}"

    def static(self, path: str) -> str:
        """A static file's address with its content hash."""
        return static_files.address(path, self.settings.root_path)

    def here(self, **changes: Any) -> str:
        """This page's address with some query parameters changed; None takes one away."""
        params = {**self.request.query_params, **changes}
        kept = {name: value for name, value in params.items() if value is not None and name != "done"}
        return f"{self.settings.root_path}{self.path}" + (f"?{urlencode(kept)}" if kept else "")

    @property
    def path(self) -> str:
        """The path below the service's root."""
        return self.request.url.path.removeprefix(self.settings.root_path) or "/"

    def navigation(self) -> list[tuple[Entry, str, bool]]:
        """The entries the caller may use: entry, address, whether it is the current one."""
        first = self.path.split("/")[1]
        return [
            (entry, self.url(entry.service, entry.path), entry.service == self.service and first in entry.own)
            for entry in ENTRIES
            if self.has_right(entry.right)
        ]

    def navigation_groups(self) -> list[tuple[Group, str, bool, list[tuple[Entry, str, bool]]]]:
        """The same by group, once there are too many for one row: group, address, whether one is in it, its entries."""
        entries = self.navigation()
        if len(entries) <= MOST_IN_A_ROW:
            return []
        shown = {entry: (entry, address, here) for entry, address, here in entries}
        found = []
        for group, inside in grouped([entry for entry, _, _ in entries]):
            pages = [shown[entry] for entry in inside]
            found.append((group, pages[0][1], any(here for _, _, here in pages), pages))
        return found

    # -- forms and answers ----------------------------------------------------------------------------------------

    def new_key(self) -> str:
        """A fresh idempotency key for a form."""
        return str(ids.new_id())

    def done(self) -> str | None:
        """What the change that led here did, in words."""
        known = wording.DONE.get(self.request.query_params.get("done", ""))
        return self.gettext(known) if known else None

    def trace_id(self) -> str | None:
        return tracing.trace_id()

    def icon(self, name: str, label: str | None = None) -> Markup:
        """An icon; decorative unless it is given a label."""
        said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        return Markup('<svg class="dc-icon" {}><use href="{}#{}"></use></svg>').format(
            said, Markup(escape(self.static("vendor/icons.svg"))), name
        )


_current: ContextVar[View] = ContextVar("view")


def current() -> View:
    """The view a page is being rendered for."""
    return _current.get()


def showing(view: View) -> Any:
    """Make a view the current one; give the token back to `shown`."""
    return _current.set(view)


def shown(token: Any) -> None:
    """Undo `showing`."""
    _current.reset(token)


def for_request(request: Request, service: str, caller: Caller, now: datetime, *, public: bool = False) -> View:
    """The view of a request. A public page knows nobody: no caller, no language cookie."""
    settings: ServiceSettings = request.app.state.settings
    kept = getattr(request.app.state, "service", None)
    plans: Mapping[str, Plan] = getattr(kept, "plans", {})
    asked = i18n.known(request.query_params.get("lang"))
    locale = (
        (asked or i18n.known(settings.page_locale) or "en") if public else i18n.chosen(request, settings.page_locale)
    )
    return View(request, service, settings, plans, ANONYMOUS if public else caller, locale, now, public)
