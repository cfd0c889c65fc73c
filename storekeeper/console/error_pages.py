"""What a reader sees when something failed: their form again, the way to sign in, or a page that says what it was."""

import re
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import falcon
from falcon.asgi import Response

from storekeeper.console import cookies
from storekeeper.console.cookies import Notice
from storekeeper.console.saved_forms import KeptForms
from storekeeper.console.templating import Templates, url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.errors import InvalidCredentials, StorekeeperError, TokenNotFresh, TooManyRequests, Unauthorized
from storekeeper.http import request, responses

PLACE = re.compile(r"/console(?:[/?][!-\[\]-~]*)?")  # visible ASCII without a backslash, which some take for a slash

# A form that was refused for one of these can be put right and sent again.
AMENDABLE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.INSUFFICIENT_STORAGE,
)


LATER = "Sign in, and your input is here again."


def safe_redirect(text: str) -> str:
    """Where to go next: a page of the console, whatever a link says."""
    return text if PLACE.fullmatch(text) else "/console"


class ErrorPages:
    """The one renderer of the pages' errors."""

    def __init__(self, templates: Templates, kept_forms: KeptForms) -> None:
        self._templates = templates
        self._kept_forms = kept_forms

    async def render(self, req: ConsoleRequest, resp: Response, error: StorekeeperError, params: Any, **_: Any) -> None:
        if isinstance(error, TokenNotFresh):
            kept = await self._kept_forms.keep(req, resp, "not fresh")
            self._lead(resp, url("confirm", next=kept or _back(req)))
        elif isinstance(error, Unauthorized) and not isinstance(error, InvalidCredentials):
            cookies.drop_token(req, resp)
            kept = await self._kept_forms.keep(req, resp, "signed out")
            if req.method == "POST":
                cookies.give_notice(
                    req, resp, Notice(f"Your session ended before this was saved. {LATER if kept else ''}")
                )
            self._lead(resp, url("sign-in", next=kept or _back(req)))
        else:
            responses.begin_error(req, resp, error)
            if not await self._show_again(req, resp, error, params):
                if not isinstance(error, TooManyRequests):  # nothing is looked up for those
                    await self._learn_viewer(req)
                self._templates.render(
                    req, resp, "failure.html", viewer=req.viewer, failure=error, request=req.request_context.id
                )

    async def render_http(
        self, req: ConsoleRequest, resp: Response, error: falcon.HTTPError, params: Any, **_: Any
    ) -> None:
        await self.render(req, resp, responses.of_falcon(error), params)
        if isinstance(error, falcon.HTTPMethodNotAllowed):
            resp.set_headers(error.headers or {})

    async def render_bug(self, req: ConsoleRequest, resp: Response, error: Exception, params: Any, **_: Any) -> None:
        await self.render(req, resp, responses.note_bug(req, error), params)

    def _lead(self, resp: Response, to: str) -> None:
        resp.status, resp.location = falcon.HTTP_SEE_OTHER, to

    async def _learn_viewer(self, req: ConsoleRequest) -> None:
        """So that the page has its bar, for whoever is signed in."""
        if req.claims and req.viewer is None and isinstance(req.view, View):
            with suppress(StorekeeperError):
                await req.view.load_viewer(req)

    async def _show_again(self, req: ConsoleRequest, resp: Response, error: StorekeeperError, params: Any) -> bool:
        """Show the form with what was typed, and what is wrong with it."""
        show = getattr(req.view, "on_get", None)
        is_amendable = error.status in AMENDABLE and not isinstance(error, TooManyRequests)
        if req.method != "POST" or not is_amendable or not isinstance(req.view, View) or show is None:
            return False
        req.failure = error
        try:
            await show(req, resp, **params)
        except Unauthorized as gone:
            await self.render(req, resp, gone, params)
        except StorekeeperError:  # the page is gone as well
            return False
        return True


def _back(req: ConsoleRequest) -> str:
    """The page to come back to: this one, or the one whose form was sent."""
    if req.method == "GET":
        return safe_redirect(req.place)
    referer = request.split_url(req.get_header("Referer") or "")
    return safe_redirect(referer.path + (f"?{referer.query}" if referer.query else ""))
