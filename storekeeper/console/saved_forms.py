"""Forms that arrive after the session has ended, or before the password was confirmed: shown again afterwards.

It is kept by the server, for an hour, for the browser that sent it and the user whom the form was shown to. Passwords
and files are not kept.
"""

from contextlib import suppress
from secrets import token_urlsafe

from falcon.asgi import Response

from storekeeper.console import cookies, forms
from storekeeper.console.form_keys import FIELD, NOBODY, FormKeys
from storekeeper.console.forms import FileForm, Form
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.errors import StorekeeperError
from storekeeper.http.guard import Guard
from storekeeper.models import saved_form
from storekeeper.models.saved_form import RETENTION_SECONDS, Content, Reason

PARAMETER = "kept"  # of the address of a page that shows it
PASSWORDS = frozenset(("password", "current_password", "new_password", "repeated", "setup_token"))
SAID: dict[Reason, str] = {
    "signed out": "Your session ended before this was saved.",
    "not fresh": "This requires your password, and is not saved yet.",
}


class KeptForms:
    """Keeps forms that cannot be taken now, and shows them when they can be."""

    def __init__(self, guard: Guard, form_keys: FormKeys) -> None:
        self._guard = guard
        self._form_keys = form_keys

    async def keep(self, req: ConsoleRequest, resp: Response, reason: Reason) -> str | None:
        """The page that will show the form of this request again; None where it cannot be kept.

        Only a form that was shown to a user is kept: nobody else can fill the database.
        """
        if req.method != "POST" or not isinstance(req.view, View) or not req.view.is_worth_keeping:
            return None
        with suppress(StorekeeperError):
            form = req.typed or await _read(req, req.view)
            user_id = self._form_keys.find_user_id(form[FIELD])
            if user_id not in (None, NOBODY) and await self._write(
                req, resp, user_id, _content(req.view, form, reason)
            ):
                return f"{req.raw_path}?{PARAMETER}=1"
        return None

    async def _write(self, req: ConsoleRequest, resp: Response, user_id: int, content: Content) -> bool:
        browser = token_urlsafe(24)
        req.claims = None  # the session may be over: it is the form's key that counts
        is_kept = await self._guard.write_uncached(req, saved_form.keep, user_id, browser, req.raw_path, content)
        if is_kept:
            cookies.give_kept_form(req, resp, browser, RETENTION_SECONDS)
        return is_kept

    async def process_resource(
        self, req: ConsoleRequest, _resp: Response, _resource: object, _params: dict[str, object]
    ) -> None:
        """Middleware: fill in the form of a page that is loaded to show what was typed there before."""
        browser = cookies.find_kept_form(req)
        if req.method != "GET" or req.claims is None or browser is None or not req.get_param(PARAMETER):
            return
        content = await self._guard.read_list(req, saved_form.find, req.caller.user_id, browser, req.raw_path)
        if content:
            req.typed, req.explanation = Form(content.fields), _said(content)


async def _read(req: ConsoleRequest, view: View) -> Form:
    """The form of a request that was refused before it was read; of one with a file, what stands before that."""
    if not view.takes_file:
        return await forms.read(req, view.max_bytes)
    upload = FileForm(req, view.max_bytes)
    form = await upload.fields()
    await upload.discard()  # a browser that cannot send all of it would not read our answer
    return form


def _content(view: View, form: Form, reason: Reason) -> Content:
    return Content(
        fields=[(name, value) for name, value in form.pairs if name not in PASSWORDS],
        reason=reason,
        has_passwords=any(name in PASSWORDS for name in form.names()),
        has_file=view.takes_file,
    )


def _said(content: Content) -> str:
    """What happened, and what is to be done."""
    return " ".join(
        [
            SAID[content.reason],
            "Your input is here again: check it, and send it.",
            *(["Passwords are not kept: enter them again."] if content.has_passwords else []),
            *(["Files are not kept: choose your file again."] if content.has_file else []),
        ]
    )
