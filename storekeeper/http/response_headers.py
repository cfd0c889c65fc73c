"""Headers that responses have in common."""

Field = tuple[bytes, bytes]

SECURITY_HEADERS: tuple[Field, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
# At the end of every answer. `Vary` is there on those too that are never compressed: the whole end is written in one
# piece, and costs nothing. What else an answer depends on stands in a line of its own (RFC 9110, section 5.3).
COMMON_HEADERS: tuple[Field, ...] = (*SECURITY_HEADERS, (b"vary", b"Accept-Encoding"))
# What scripts of other origins may read of an answer, beside what every browser shows them.
EXPOSED_HEADERS = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Content-Disposition",
    "Preference-Applied",
    "WWW-Authenticate",
    "X-Request-ID",
    "X-Client-Request-ID",
)
