"""Errors that a caller can act on, each with its status and code. Any other exception is a bug and answers 500."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec

from storekeeper.messages import ErrorMessage, Parameter

MIB = 2**20
JSON = ("application/json",)
MERGE_PATCH = "application/merge-patch+json"  # RFC 7396


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one member of a body, or one parameter of a URL."""

    field: str
    message: str


class InvalidField(msgspec.Struct, frozen=True):
    """The same before it is put into words."""

    field: str
    message: ErrorMessage


class StorekeeperError(Exception):
    """Base of the errors that are shown to the caller as they are; `str` is what they say in English.

    `reason` is the code of a message in `storekeeper/messages.py`, and `parameters` are what its template names.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str]  # on the wire; and of the message, where no other is given
    message_code: ClassVar[str | None] = None  # of the message, where several errors have one code on the wire
    usual: ClassVar[Mapping[str, Parameter]] = {}  # the parameters of that message, where they are not given
    described: ClassVar[bool] = False  # the course calls the message "description" here: the answer has both
    retry_after: int = 0  # seconds, where another try makes sense

    def __init__(
        self, reason: str | None = None, /, *, message: ErrorMessage | None = None, **parameters: Parameter
    ) -> None:
        self.message = message or ErrorMessage(reason or self.message_code or self.code, **parameters or self.usual)
        super().__init__(self.message)

    @classmethod
    def usual_message(cls) -> ErrorMessage:
        """What it says where there is nothing more exact to say."""
        return ErrorMessage(cls.message_code or cls.code, **cls.usual)

    def details(self) -> dict[str, Any]:
        """Members of the answer beside `error` and `message`."""
        return {}

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}


class Invalid(StorekeeperError):
    """What was sent cannot be used; `fields` are the members at fault, if any. A message may name its `field`."""

    code = "invalid"

    def __init__(
        self,
        reason: str | None = None,
        /,
        *,
        field: str | None = None,
        message: ErrorMessage | None = None,
        fields: Sequence[InvalidField] = (),
        **parameters: Parameter,
    ) -> None:
        named = {} if field is None else {"field": field}  # a name may be empty, as that of a query's "=1"
        super().__init__(reason, message=message, **named, **parameters)
        self.fields = [InvalidField(field, self.message)] if field else list(fields)

    def field_errors(self) -> list[FieldError]:
        return [FieldError(each.field, str(each.message)) for each in self.fields]

    def details(self) -> dict[str, Any]:
        return {"errors": self.field_errors()} if self.fields else {}


class BadRequest(StorekeeperError):
    """What was sent is not HTTP, or not to be trusted."""

    code = "bad_request"


class Unauthorized(StorekeeperError):
    """`challenge` is what RFC 6750 wants in WWW-Authenticate: at least one parameter, and no error without a token."""

    status = HTTPStatus.UNAUTHORIZED
    challenge: ClassVar[str] = 'Bearer realm="storekeeper"'

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": self.challenge}


class InvalidCredentials(Unauthorized):
    """Does not say whether the name or the password was wrong (ASVS 5.0, section 6.3)."""

    code = "invalid_credentials"


class BadToken(Unauthorized):
    challenge = 'Bearer realm="storekeeper", error="invalid_token"'


class TokenExpired(BadToken):
    code = "token_expired"


class TokenInvalid(BadToken):
    code = "invalid_token"


class TokenMissing(Unauthorized):
    code = "authorization_required"
    described = True


class TokenNotFresh(BadToken):
    code = "fresh_token_required"
    described = True


class TokenRevoked(BadToken):
    code = "token_revoked"
    described = True


class Forbidden(StorekeeperError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class PasswordChangeRequired(Forbidden):
    """The password is right, and has to be replaced first: `ticket` is for `POST /login/password`."""

    code = "password_change_required"

    def __init__(self, ticket: str = "") -> None:
        super().__init__()
        self.ticket = ticket

    def details(self) -> dict[str, Any]:
        return {"ticket": self.ticket}


class TicketInvalid(Forbidden):
    code = "ticket_invalid"


class NotFound(StorekeeperError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class MethodNotAllowed(StorekeeperError):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "method_not_allowed"


class Conflict(StorekeeperError):
    """The change broke a constraint of the database: somebody else was faster."""

    status = HTTPStatus.CONFLICT
    code = "conflict"


class AmbiguousName(Conflict):
    """Several stores have an item of that name; `candidates` lists them."""

    code = "ambiguous_name"

    def __init__(self, candidates: Sequence[Any]) -> None:
        super().__init__()
        self.candidates = candidates

    def details(self) -> dict[str, Any]:
        return {"candidates": self.candidates}


class StoreNotEmpty(Conflict):
    code = "store_not_empty"


class OutOfStock(Conflict):
    code = "out_of_stock"


class ImportIsOver(Conflict):
    code = "import_is_over"


class TooManyImports(Conflict):
    code = "too_many_imports"


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"


class WebhookInactive(Conflict):
    code = "webhook_inactive"


class WebhookPending(Conflict):
    """Nothing is sent to a receiver that has not agreed to it."""

    code = "webhook_pending"


class WebhookOrphaned(Conflict):
    """Its owner has lost the right to have these changes sent."""

    code = "webhook_orphaned"


class KeyInUse(Conflict):
    """The first request with this Idempotency-Key has not been answered yet."""

    code = "idempotency_key_in_use"
    retry_after = 1


class LastAdministrator(Conflict):
    code = "last_administrator"


class LastOwner(Conflict):
    code = "last_owner"


class AlreadyExists(StorekeeperError):
    """A name is taken. The course answers 400 here."""

    code = "already_exists"


class RegistrationClosed(StorekeeperError):
    status = HTTPStatus.FORBIDDEN
    code = "registration_closed"


class WrongSetupToken(StorekeeperError):
    status = HTTPStatus.FORBIDDEN
    code = "wrong_setup_token"


class HistoryForgotten(StorekeeperError):
    """What was asked for is older than what the journal keeps."""

    status = HTTPStatus.GONE
    code = "history_forgotten"


class ResyncRequired(StorekeeperError):
    """The changes after a cursor are not all known any more. `cursor` is where to go on after reading all anew."""

    status = HTTPStatus.GONE
    code = "resync_required"

    def __init__(self, cursor: int = 0) -> None:
        super().__init__()
        self.cursor = cursor

    def details(self) -> dict[str, Any]:
        return {"cursor": self.cursor}


class PreconditionFailed(StorekeeperError):
    """What the sender believed in `If-Match` or `If-None-Match` is not so: somebody else was faster."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "precondition_failed"


class PreconditionRequired(StorekeeperError):
    status = HTTPStatus.PRECONDITION_REQUIRED
    code = "precondition_required"


class KeyReused(StorekeeperError):
    """An Idempotency-Key has come with another request before, which was carried out `at` that time."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency_key_reused"

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class RequestTimeout(StorekeeperError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "request_timeout"


class TooLarge(StorekeeperError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"
    usual: ClassVar[Mapping[str, Parameter]] = {"maximum": 65_536}


class HeadTooLarge(StorekeeperError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head_too_large"


class UnknownTransferCoding(StorekeeperError):
    """RFC 9112, section 6.1: a body whose coding is not understood cannot be read."""

    status = HTTPStatus.NOT_IMPLEMENTED
    code = "unknown_transfer_coding"


class WrongMediaType(StorekeeperError):
    """The answer names the media types, and content codings, that would be read (RFC 9110, section 15.5.16)."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"

    def __init__(
        self,
        reason: str | None = None,
        /,
        accepted: Sequence[str] = JSON,
        accepted_codings: Sequence[str] = (),
        **parameters: Parameter,
    ) -> None:
        super().__init__(reason, message=None, **parameters)
        self.accepted = accepted
        self.accepted_codings = accepted_codings

    def headers(self) -> dict[str, str]:
        is_patch = MERGE_PATCH in self.accepted
        names = ["Accept", *(["Accept-Patch"] if is_patch else [])]
        codings = {"Accept-Encoding": ", ".join(self.accepted_codings)} if self.accepted_codings else {}
        return dict.fromkeys(names, ", ".join(self.accepted)) | codings


class LimitReached(StorekeeperError):
    """`retry_after` is in seconds; `limit` and `window` are what was exceeded, which is called `policy`."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(
        self, retry_after: int, limit: int, window: int, message: ErrorMessage | None = None, policy: str = "login"
    ) -> None:
        super().__init__(message=message)
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


class TooManyRequests(LimitReached):
    """Logged where they are counted, and not each time."""

    code = "too_many_requests"


class OverQuota(StorekeeperError):
    """A user, or a store, would have more than there may be: `limit`, of which so much is `used`, things or bytes."""

    status = HTTPStatus.CONFLICT
    is_in_bytes: ClassVar[bool] = False

    def __init__(self, limit: int, used: int) -> None:
        problem = self.usual_message()
        message = ErrorMessage("quota_used", problem=problem, used=used, limit=limit)
        if self.is_in_bytes:
            message = ErrorMessage("quota_of_bytes_used", problem=problem, used=used / MIB, limit=limit / MIB)
        super().__init__(message=message)
        self.limit, self.used = limit, used

    def details(self) -> dict[str, Any]:
        return {"limit": self.limit, "used": self.used}


class TooManyStores(OverQuota):
    code = "too_many_stores"


class ImportSpaceFull(OverQuota):
    code = "import_space_full"
    is_in_bytes = True


class ImageSpaceFull(OverQuota):
    code = "image_space_full"
    is_in_bytes = True


class TooManyStreams(OverQuota):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_streams"
    retry_after = 60


class AnswerSpaceFull(OverQuota):
    """`retry_after` is in seconds, until the oldest answers make room."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "answer_space_full"
    is_in_bytes = True

    def __init__(self, limit: int, used: int, retry_after: int) -> None:
        super().__init__(limit, used)
        self.retry_after = retry_after


class TooManyTests(StorekeeperError):
    """Each of them makes the server call somebody."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_tests"
    retry_after = 60


class TooManyExports(StorekeeperError):
    """They are held in memory while they are read."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_exports"
    retry_after = 5


class Unavailable(StorekeeperError):
    """The server is too busy, or the database does not answer: worth another try soon."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    retry_after = 1


class NotReady(Unavailable):
    """What /readyz answers. `conditions` are for administrators; without them there are none to be told."""

    message_code = "not_ready"

    def __init__(self, finding: str, conditions: Any = msgspec.UNSET) -> None:
        super().__init__(finding=finding)
        self.conditions = conditions

    def details(self) -> dict[str, Any]:
        return {"conditions": self.conditions} if self.conditions is not msgspec.UNSET else {}


class DatabaseDamaged(Unavailable):
    """What the request needs to read is damaged. It stays so until the operator has mended or restored it."""

    code = "database_damaged"
    retry_after = 60


class FilesUnavailable(Unavailable):
    """For the operator: `cause` is the storage's own."""

    message_code = "files_faulty"


class InsufficientStorage(StorekeeperError):
    """RFC 4918, section 11.5. Other changes go on."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "insufficient_storage"
    retry_after = 60


class OutcomeUnknown(Unavailable):
    """A commit was not confirmed: nobody can tell yet whether the change was kept."""

    message_code = "outcome_unknown"


class InternalError(StorekeeperError):
    """A bug. The log has its trace; the caller learns nothing of it."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal_error"
