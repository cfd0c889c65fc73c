"""Errors that a caller can act on, each with its status and code. Any other exception is a bug and answers 500."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec

MIB = 2**20
MERGE_PATCH = "application/merge-patch+json"  # RFC 7396


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one member of a body, or one parameter of a URL."""

    field: str
    message: str


class StorekeeperError(Exception):
    """Base of the errors that are shown to the caller as they are."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str]
    message: ClassVar[str]
    described: ClassVar[bool] = False  # the course calls the message "description" here: the answer has both
    retry_after: int = 0  # seconds, where another try makes sense

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)

    def details(self) -> dict[str, Any]:
        """Members of the answer beside `error` and `message`."""
        return {}

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}


class Invalid(StorekeeperError):
    """What was sent cannot be used; `errors` names the members at fault, where some are."""

    code = "invalid"
    message = "The request is not valid."

    def __init__(self, message: str, field: str | None = None, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = [FieldError(field, message)] if field else list(errors)

    def details(self) -> dict[str, Any]:
        return {"errors": self.errors} if self.errors else {}


class BadRequest(StorekeeperError):
    """What was sent is not HTTP, or not to be trusted."""

    code = "bad_request"
    message = "This is not a valid HTTP request."


class Unauthorized(StorekeeperError):
    """`challenge` is what RFC 6750 wants in WWW-Authenticate: at least one parameter, and no error without a token."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"
    challenge: ClassVar[str] = 'Bearer realm="storekeeper"'

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": self.challenge}


class InvalidCredentials(Unauthorized):
    """Does not say whether the name or the password was wrong (ASVS 5.0, section 6.3)."""

    code = "invalid_credentials"
    message = "Invalid credentials!"


class BadToken(Unauthorized):
    challenge = 'Bearer realm="storekeeper", error="invalid_token"'


class TokenExpired(BadToken):
    code = "token_expired"
    message = "The token has expired."


class TokenInvalid(BadToken):
    code = "invalid_token"
    message = "Signature verification failed."


class TokenMissing(Unauthorized):
    code = "authorization_required"
    message = "Request does not contain an access token."
    described = True


class TokenNotFresh(BadToken):
    code = "fresh_token_required"
    message = "The token is not fresh."
    described = True


class TokenRevoked(BadToken):
    code = "token_revoked"
    message = "The token has been revoked."
    described = True


class Forbidden(StorekeeperError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"
    message = "Admin privilege required."


class PasswordChangeRequired(Forbidden):
    """The password is right, and has to be replaced first: `ticket` is for `POST /login/password`."""

    code = "password_change_required"
    message = "Choose a new password: send it with this ticket to POST /login/password."

    def __init__(self, ticket: str = "") -> None:
        super().__init__()
        self.ticket = ticket

    def details(self) -> dict[str, Any]:
        return {"ticket": self.ticket}


class TicketInvalid(Forbidden):
    code = "ticket_invalid"
    message = "This ticket is invalid or has expired. Log in again."


class NotFound(StorekeeperError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    message = "There is nothing at this address."


class MethodNotAllowed(StorekeeperError):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "method_not_allowed"
    message = "This address does not answer that method. `Allow` lists those that it answers."


class Conflict(StorekeeperError):
    """The change broke a constraint of the database: somebody else was faster."""

    status = HTTPStatus.CONFLICT
    code = "conflict"
    message = "The change conflicts with what is stored."


class AmbiguousName(Conflict):
    """Several stores have an item of that name; `candidates` lists them."""

    code = "ambiguous_name"
    message = "Several stores have an item of that name. Choose one with ?store_id=."

    def __init__(self, candidates: Sequence[Any]) -> None:
        super().__init__()
        self.candidates = candidates

    def details(self) -> dict[str, Any]:
        return {"candidates": self.candidates}


class StoreNotEmpty(Conflict):
    code = "store_not_empty"
    message = "The store holds items. Delete them first, or say ?with_items=true."


class OutOfStock(Conflict):
    code = "out_of_stock"
    message = "Not enough stock."


class ImportIsOver(Conflict):
    code = "import_is_over"
    message = "The import has ended already."


class TooManyImports(Conflict):
    code = "too_many_imports"
    message = "You have too many imports that wait or are under way. Cancel one, or wait until one has ended."


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"
    message = "There are too many webhooks of yours, or of this store. Delete one."


class WebhookInactive(Conflict):
    code = "webhook_inactive"
    message = "The webhook is not active, and sends nothing."


class WebhookPending(Conflict):
    """Nothing is sent to a receiver that has not agreed to it."""

    code = "webhook_pending"
    message = "The webhook's receiver has not answered the challenge yet. Verify the webhook first."


class WebhookOrphaned(Conflict):
    """Its owner has lost the right to have these changes sent."""

    code = "webhook_orphaned"
    message = "Its owner may not have these changes sent any more. Take the webhook over to let it go on."


class KeyInUse(Conflict):
    """The first request with this Idempotency-Key has not been answered yet."""

    code = "idempotency_key_in_use"
    message = "A request with this Idempotency-Key is under way. Ask again for its answer."
    retry_after = 1


class LastAdministrator(Conflict):
    code = "last_administrator"
    message = "The last administrator cannot be demoted, deactivated or deleted."


class LastOwner(Conflict):
    code = "last_owner"
    message = "A store keeps at least one owner."


class AlreadyExists(StorekeeperError):
    """A name is taken. The course answers 400 here."""

    code = "already_exists"
    message = "The name is taken."


class RegistrationClosed(StorekeeperError):
    status = HTTPStatus.FORBIDDEN
    code = "registration_closed"
    message = "Registration is closed. Ask an administrator for an account."


class WrongSetupToken(StorekeeperError):
    status = HTTPStatus.FORBIDDEN
    code = "wrong_setup_token"
    message = "The set-up token is not valid, or there is an administrator already."


class HistoryForgotten(StorekeeperError):
    """What was asked for is older than what the journal keeps."""

    status = HTTPStatus.GONE
    code = "history_forgotten"
    message = "The journal does not go back that far."


class ResyncRequired(StorekeeperError):
    """The changes after a cursor are not all known any more. `cursor` is where to go on after reading all anew."""

    status = HTTPStatus.GONE
    code = "resync_required"
    message = "The changes after this cursor are no longer kept. Go on from `cursor`, and then read everything anew."

    def __init__(self, cursor: int = 0) -> None:
        super().__init__()
        self.cursor = cursor

    def details(self) -> dict[str, Any]:
        return {"cursor": self.cursor}


class PreconditionFailed(StorekeeperError):
    """What the sender believed in `If-Match` or `If-None-Match` is not so: somebody else was faster."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "precondition_failed"
    message = "It has changed since you read it. Fetch it again."


class PreconditionRequired(StorekeeperError):
    status = HTTPStatus.PRECONDITION_REQUIRED
    code = "precondition_required"
    message = "Send If-Match with the ETag of what you change, or If-None-Match: * to add."


class KeyReused(StorekeeperError):
    """An Idempotency-Key has come with another request before, which was carried out `at` that time."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency_key_reused"
    message = "This Idempotency-Key has come with another request. Each request has a key of its own."

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class RequestTimeout(StorekeeperError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "request_timeout"
    message = "The body did not arrive in time."


class TooLarge(StorekeeperError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"
    message = "The body is too large: at most 65,536 bytes are read."

    def __init__(self, most_bytes: int = 65_536) -> None:
        super().__init__(f"The body is too large: at most {most_bytes:,} bytes are read.")


class HeadTooLarge(StorekeeperError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head_too_large"
    message = "The head of a request may have 32,768 bytes."


class UnknownTransferCoding(StorekeeperError):
    """RFC 9112, section 6.1: a body whose coding is not understood cannot be read."""

    status = HTTPStatus.NOT_IMPLEMENTED
    code = "unknown_transfer_coding"
    message = "Of transfer codings, this server knows chunked alone."


class WrongMediaType(StorekeeperError):
    """`accepted` are the media types that would be read. The answer names them (RFC 9110, section 15.5.16)."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"
    message = "The body has to be application/json in UTF-8, without a content encoding."

    def __init__(self, message: str | None = None, accepted: Sequence[str] = ("application/json",)) -> None:
        super().__init__(message)
        self.accepted = accepted

    def headers(self) -> dict[str, str]:
        is_patch = MERGE_PATCH in self.accepted
        names = ["Accept", *(["Accept-Patch"] if is_patch else [])]
        return dict.fromkeys(names, ", ".join(self.accepted))


class LimitReached(StorekeeperError):
    """`retry_after` is in seconds; `limit` and `window` are what was exceeded, which is called `policy`."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, retry_after: int, limit: int, window: int, message: str = "", policy: str = "login") -> None:
        super().__init__(message or None)
        self.policy = policy
        self.retry_after = retry_after
        self.limit = limit
        self.window = window

    def headers(self) -> dict[str, str]:
        """The `RateLimit` fields of draft-ietf-httpapi-ratelimit-headers-11."""
        return super().headers() | {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={self.window}',
            "RateLimit": f'"{self.policy}";r=0;t={self.retry_after}',
        }


class TooManyAttempts(LimitReached):
    """Too many failed logins, or too many logins or registrations from one network."""

    code = "too_many_attempts"
    message = "Too many failed logins. Try again later."


class TooManyRequests(LimitReached):
    """Logged where they are counted, and not each time."""

    code = "too_many_requests"
    message = "There are too many requests from you, or from your network. Wait a moment."


class OverQuota(StorekeeperError):
    """A user, or a store, would have more than there may be: `limit`, of which so much is `used`, things or bytes."""

    status = HTTPStatus.CONFLICT
    is_in_bytes: ClassVar[bool] = False

    def __init__(self, limit: int, used: int) -> None:
        super().__init__(f"{self.message} {self._amounts(limit, used)} are used.")
        self.limit = limit
        self.used = used

    def _amounts(self, limit: int, used: int) -> str:
        return f"{used / MIB:,.1f} of {limit / MIB:,.0f} MiB" if self.is_in_bytes else f"{used:,} of {limit:,}"

    def details(self) -> dict[str, Any]:
        return {"limit": self.limit, "used": self.used}


class TooManyStores(OverQuota):
    code = "too_many_stores"
    message = (
        "You have created as many stores as a user may have. Delete one, or ask an administrator to create this one."
    )


class ImportSpaceFull(OverQuota):
    code = "import_space_full"
    message = (
        "There is no room for this file among those of your imports. Cancel imports that are planned or were refused, "
        "carry them out, or wait: their files are kept for 7 days."
    )
    is_in_bytes = True


class ImageSpaceFull(OverQuota):
    code = "image_space_full"
    message = (
        "There is no room for this image among those of the store. Those that were removed or replaced count for 30 "
        "days; ask the operator for more room."
    )
    is_in_bytes = True


class TooManyStreams(OverQuota):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_streams"
    message = "You have as many streams of changes open as a user may have. Close one."
    retry_after = 60


class AnswerSpaceFull(OverQuota):
    """`retry_after` is in seconds, until the oldest answers make room."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "answer_space_full"
    message = (
        "There is no room for another answer among those that are kept for your Idempotency-Keys, each for a day. "
        "Known keys are answered. Send new ones later, or this change without one."
    )
    is_in_bytes = True

    def __init__(self, limit: int, used: int, retry_after: int) -> None:
        super().__init__(limit, used)
        self.retry_after = retry_after


class TooManyTests(StorekeeperError):
    """Each of them makes the server call somebody."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_tests"
    message = "This webhook was tested too often. Try again in a minute."
    retry_after = 60


class TooManyExports(StorekeeperError):
    """They are held in memory while they are read."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_exports"
    message = "Too many exports of yours are under way. Read them, and try again."
    retry_after = 5


class Unavailable(StorekeeperError):
    """The server is too busy, or the database does not answer: worth another try soon."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    message = "The server is busy. Try again soon."
    retry_after = 1


class NotReady(Unavailable):
    """What /readyz answers. `conditions` are for administrators; without them there are none to be told."""

    def __init__(self, message: str, conditions: Any = msgspec.UNSET) -> None:
        super().__init__(message)
        self.conditions = conditions

    def details(self) -> dict[str, Any]:
        return {"conditions": self.conditions} if self.conditions is not msgspec.UNSET else {}


class DatabaseDamaged(Unavailable):
    """What the request needs to read is damaged. It stays so until the operator has mended or restored it."""

    code = "database_damaged"
    message = "The database is damaged. Its operator has to repair it."
    retry_after = 60


class FilesUnavailable(Unavailable):
    """For the operator: the reason is the storage's own."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The files cannot be written and read: {reason}")


class InsufficientStorage(StorekeeperError):
    """RFC 4918, section 11.5. Other changes go on."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "insufficient_storage"
    message = "The server's disk is nearly full, so it takes no files. Its operator has to make room."
    retry_after = 60


class OutcomeUnknown(Unavailable):
    """A commit was not confirmed: nobody can tell yet whether the change was kept."""

    def __init__(self) -> None:
        super().__init__("The database was lost during the change. Look whether it was made.")


class InternalError(StorekeeperError):
    """A bug. The log has its trace; the caller learns nothing of it."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal_error"
    message = "Something went wrong here. The log has it, under the request's id."
