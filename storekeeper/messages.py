"""What errors say, in English: each sentence once, by the code of its message. Another mapping would be a translation.

A template names its parameters and says how numbers are written: `{maximum:,}`. A parameter is a value, or a message
itself. Only the template is interpreted: braces in what somebody has sent are text.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias, Union

Parameter: TypeAlias = Union[str, int, float, Decimal, "ErrorMessage"]


class ErrorMessage:
    """The code of a message and its parameters. `str` has it in English."""

    __slots__ = ("code", "parameters")

    def __init__(self, code: str, /, **parameters: Parameter) -> None:
        self.code = code
        self.parameters = parameters

    def __repr__(self) -> str:
        return f"ErrorMessage({self.code!r}, {self.parameters!r})"

    def __str__(self) -> str:
        return self.render(ENGLISH)

    def render(self, catalogue: Mapping[str, str]) -> str:
        values = {
            name: value.render(catalogue) if isinstance(value, ErrorMessage) else value
            for name, value in self.parameters.items()
        }
        return catalogue[self.code].format_map(values)


ENGLISH: Mapping[str, str] = {
    # Requests
    "invalid": "The request is not valid.",
    "bad_request": "This is not a valid HTTP request.",
    "http_version_unknown": "This server speaks HTTP/1.1 and HTTP/1.0.",
    "host_header_invalid": "A request has one valid Host header.",
    "proxying_refused": "This server is no proxy.",
    "request_cut": "The request ended early.",
    "request_late": "The request did not arrive in time.",
    "request_timeout": "The body did not arrive in time.",
    "answer_read_slowly": "The answer is read too slowly.",
    "head_too_large": "The head of a request may have 32,768 bytes.",
    "unknown_transfer_coding": "Of transfer codings, this server knows chunked alone.",
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address does not answer that method. `Allow` lists those that it answers.",
    "path_not_utf8": "The path is not UTF-8.",
    "query_unreadable": "The query string cannot be read: it is percent-encoded UTF-8 of at most {maximum} parameters.",
    "parameter_repeated": "'{field}' is given twice.",
    "parameter_unusual": "'{text}' is not how '{field}' is written.",
    "too_large": "The body is too large: at most {maximum:,} bytes are read.",
    "body_cut": "The body ended early. Send the request again.",
    "gzip_cut": "The body is in gzip, and that ended early. Send the request again.",
    "gzip_damaged": "The body is damaged, or not in gzip as Content-Encoding says.",
    "unsupported_media_type": "The body has to be application/json in UTF-8.",
    "upload_type_unknown": "The body has to be one of {types}.",
    "content_coding_unknown": "The content encoding of this body has to be {codings}.",
    "body_not_a_list": "The body has to be a list.",
    "too_many_rows": "There are at most {maximum:,} rows in a request.",
    "field_unknown": "There is no '{field}' here.",
    "field_missing": "'{field}' is missing.",
    # What is not strict JSON: `fault` is one of these
    "body_not_strict_json": "The body is not strict JSON: {fault}.",
    "line_not_strict_json": "This is not strict JSON: {fault}.",
    "json_at_byte": "{fault} (byte {place})",
    "json_unreadable": "it cannot be read",
    "json_endless": "it has no end",
    "json_number_huge": "it holds a number beyond all bounds",
    "json_number_odd": "a number is not written as JSON has it",
    "json_continues": "there is more after the end of the value",
    "json_colon_missing": "a colon is missing",
    "json_comma_missing": "a comma or the end of a list or an object is missing",
    "json_comma_trailing": "nothing comes after a comma",
    "json_name_missing": "the name of a member is missing, in double quotes",
    "json_member_repeated": "a member stands twice",
    "json_escape_unknown": "a text holds an escape that JSON does not have",
    "json_half_of_pair": "it holds half of a surrogate pair",
    "json_character_misplaced": "a character is out of place",
    "json_too_deep": "it is nested too deeply",
    "json_not_utf8": "it is not UTF-8",
    "json_empty": "a value is missing",
    "json_no_object": "it is no object",
    "json_nul": "it holds NUL",
    # What a value has to be: `expected` is one of these, as it goes on after "it has to be"
    "value_expected": "This has to be {expected}.",
    "value_unexpected": "This is not what is expected here.",
    "expected_either": "{first} or {second}",
    "expected_one_of": "one of {values}",
    "expected_true_or_false": "true or false",
    "expected_null": "null",
    "expected_object": "an object",
    "expected_whole_number": "a whole number",
    "expected_whole_number_from": "a whole number of at least {minimum:,}",
    "expected_whole_number_to": "a whole number of at most {maximum:,}",
    "expected_whole_number_between": "a whole number from {minimum:,} to {maximum:,}",
    "expected_text": "text",
    "expected_list": "a list",
    "expected_size_from": "{thing} of at least {minimum}",
    "expected_size_to": "{thing} of at most {maximum}",
    "expected_size_between": "{thing} of {minimum:,} to {maximum}",
    "expected_form": "{text}, {form}",
    "expected_entries": "{list}, each {entry}",
    "one_character": "1 character",
    "characters": "{count:,} characters",
    "one_entry": "1 entry",
    "entries": "{count:,} entries",
    "expected_without_nul": "without NUL",
    "expected_without_control_characters": "without control characters",
    "expected_currency": "such as EUR",
    "expected_webhook_url": "a URL such as https://shop.example/hook without a user",
    "expected_cursor": "the `cursor` of an answer, which has at most 16 digits, or `{now}`",
    # Preconditions and Idempotency-Keys
    "etag_unreadable": '{header} has entity tags such as "17.3" in quotes, or *.',
    "precondition_failed": "It has changed since you read it. Fetch it again.",
    "precondition_required": "Send If-Match with the ETag of what you change, or If-None-Match: * to add.",
    "idempotency_key_unreadable": (
        "An Idempotency-Key has 1 to 255 visible characters of ASCII, without quotes and backslashes."
    ),
    "idempotency_key_in_use": "A request with this Idempotency-Key is under way. Ask again for its answer.",
    "idempotency_key_reused": (
        "This Idempotency-Key has come with another request. Each request has a key of its own."
    ),
    "answer_space_full": (
        "There is no room for another answer among those that are kept for your Idempotency-Keys, each for a day. "
        "Known keys are answered. Send new ones later, or this change without one."
    ),
    # Signing in, tokens and sessions
    "invalid_credentials": "Invalid credentials!",
    "token_expired": "The token has expired.",
    "invalid_token": "Signature verification failed.",
    "token_from_future": "The token was issued in the future.",
    "token_of_wrong_type": "A token of type '{type}' is not good here.",
    "authorization_required": "Request does not contain an access token.",
    "fresh_token_required": "The token is not fresh.",
    "token_revoked": "The token has been revoked.",
    "session_not_found": "Session not found.",
    "password_change_required": "Choose a new password: send it with this ticket to POST /login/password.",
    "ticket_invalid": "This ticket is invalid or has expired. Log in again.",
    "too_many_attempts": "Too many failed logins. Try again later.",
    "too_many_logins": "Too many logins from your network. Try again later.",
    "too_many_registrations": "Too many registrations from your network. Try again later.",
    # Users and their passwords
    "forbidden": "Admin privilege required.",
    "admins_add_webhooks": "Only administrators may add webhooks here, or lead them elsewhere.",
    "admins_follow_all_stores": (
        "Only administrators may have the changes of all stores sent. Name a store that you own."
    ),
    "user_not_found": "User not found.",
    "user_unknown": "There is no user '{username}'.",
    "username_taken": "A user with that username already exists.",
    "username_taken_by": "A user '{username}' exists. `storekeeper users set {username}` changes what they may do.",
    "username_length": "A user name has 1 to {maximum} characters.",
    "username_characters": "A user name has letters, digits and . _ @ + - only.",
    "username_dots": "A user name cannot be {name!r}: the path of a URL cannot hold it.",
    "username_scripts": "A user name is of one script: this one has letters of {scripts}.",
    "password_length": "A password has {minimum} to {maximum} characters.",
    "password_common": "This password is one of the 10,000 most common.",
    "password_is_username": "A password is not the user name.",
    "password_unchanged": "This is the password that has to be replaced. Choose another one.",
    "passwords_differ": "The two passwords differ.",
    "last_administrator": "The last administrator cannot be demoted, deactivated or deleted.",
    "registration_closed": "Registration is closed. Ask an administrator for an account.",
    "wrong_setup_token": "The set-up token is not valid, or there is an administrator already.",
    # Stores and those who work there
    "store_not_found": "Store not found.",
    "store_name_taken": "A store with name '{name}' already exists.",
    "already_exists": "The name is taken.",
    "store_not_empty": "The store holds items. Delete them first, or say ?with_items=true.",
    "store_has_prices": "The store holds items, whose prices are in its currency.",
    "store_name_not_typed": "Type the name of the store to confirm.",
    "too_many_stores": (
        "You have created as many stores as a user may have. Delete one, or ask an administrator to create this one."
    ),
    "workers_only": "Only those who work in the store may do this.",
    "owners_only": "Only owners of the store and administrators may do this.",
    "member_not_found": "Member not found.",
    "role_unknown": "A member is a clerk or an owner.",
    "last_owner": "A store keeps at least one owner.",
    "sole_owner": "Nobody else owns {stores}. Say who gets what only this user owns.",
    "heir_unfit": "The stores go to another user, who is active.",
    # Items
    "item_not_found": "Item not found.",
    "item_name_taken": "An item with name '{name}' already exists.",
    "item_value_taken": "The item '{name}' has the {label} '{value}' already.",
    "ambiguous_name": "Several stores have an item of that name. Choose one with ?store_id=.",
    "conflict": "The change conflicts with what is stored.",
    "item_edited_meanwhile": "Somebody else has changed this meanwhile. Nothing of yours is saved yet.",
    "prices_need_confirmation": "Nothing is changed yet. Look at what would become of these prices.",
    "percent_out_of_range": "Prices change by -100 to {maximum} percent at once.",
    "change_not_found": "There is no such change.",
    "change_not_undoable": "This change cannot be undone: only changes of an item's fields can.",
    "item_not_yet_there": "The item did not exist at that time.",
    "history_forgotten": "The journal does not go back that far.",
    "out_of_stock": "Not enough stock.",
    "stock_too_low": "{stock} on hand: that does not go with {delta:+}.",
    "stock_negative": "The stock cannot be below zero in this store.",
    "stock_too_high": "A stock has at most {maximum:,}.",
    "too_many_tags": "An item has at most {maximum} tags.",
    "tag_semicolon": "A tag may not hold a semicolon: it stands between tags.",
    "text_length": "A {kind} has 1 to {maximum} characters.",
    "text_unseen_character": "A {kind} may not hold U+{code_point:04X}: it cannot be seen.",
    "name_dots": "A name cannot be {name!r}: the path of a URL cannot hold it.",
    "description_length": "A description has at most {maximum:,} characters.",
    "description_characters": "A description may not hold NUL or half of a surrogate pair.",
    "description_marks": "A description may not hold more than {maximum} combining marks in a row.",
    "price_not_a_number": "A price is a number such as 15.99, or the same in quotes.",
    "price_out_of_range": "A price is from 0 to {maximum} {currency}.",
    "price_digits": "A price in {currency} has at most {digits} digits after the point.",
    "currency_unknown": "A currency is an active ISO 4217 code, such as EUR.",
    "barcode_characters": "A barcode has digits only.",
    "barcode_length": "A barcode has 8, 12, 13 or 14 digits.",
    "barcode_check_digit": "This is no barcode: after {digits}, the last digit would have to be {last}.",
    "barcode_rounded": "A spreadsheet has rounded this barcode. Keep the column as text there.",
    "time_unreadable": (
        "A time is written like 2026-11-01T12:00:00Z, as a date such as 2026-11-01, or in seconds since 1970."
    ),
    # Many items in one request
    "rows_refused": "Nothing is changed, as there are rows that cannot be taken. {first}",
    "row_key_missing": "The {label} is missing, by which the item is known.",
    "row_repeats": "Line {line} has this {label} already.",
    "row_incomplete": "There is no such item yet, and its {label} is missing.",
    # Lists and searches
    "cursor_unreadable": "This cursor is not valid. Take it from `next` of an answer, or start without one.",
    "cursor_of_another_list": "This cursor belongs to another list, or to another order. Start without one.",
    "sort_needs_store": "Sorting by {key} needs a store.",
    "sort_needs_search": "Sorting by rank needs words to search for.",
    "price_range_needs_store": "A range of prices needs a store, which has a currency.",
    "search_too_long": "A search has at most {maximum} characters.",
    "search_words": "A search has 1 to {maximum} words, of letters and digits.",
    # Images and files
    "image_not_found": "There is no such image.",
    "image_gone": "The picture is gone: it is removed 30 days after no item has it any more. Upload it again.",
    "image_unreadable": "This is not a whole PNG, JPEG, WebP or GIF image.",
    "image_slow": "This image takes too long to read. Save it anew, smaller or in another format.",
    "image_size": "An image has at most {megapixels} megapixels, and {side:,} pixels a side.",
    "image_space_full": (
        "There is no room for this image among those of the store. Those that were removed or replaced count for 30 "
        "days; ask the operator for more room."
    ),
    "file_not_found": "There is no such file.",
    "files_unavailable": "The files cannot be reached. Try again soon.",
    "files_faulty": "The files cannot be written and read: {cause}",
    "files_read_differently": "what was written is not what is read",
    "insufficient_storage": "The server's disk is nearly full, so it takes no files. Its operator has to make room.",
    # Imports
    "import_not_found": "Import not found.",
    "import_is_over": "The import has ended already.",
    "import_not_planned": "Only an import whose plan is made can be confirmed.",
    "import_author_inactive": "Whoever started this import may no longer log in.",
    "import_currency_changed": "The store's currency was changed after the prices were checked. Import the file again.",
    "import_line_of_another": "This line is for the {field} '{value}', and the store's is '{expected}'.",
    "too_many_imports": (
        "You have too many imports that wait or are under way. Cancel one, or wait until one has ended."
    ),
    "import_space_full": (
        "There is no room for this file among those of your imports. Cancel imports that are planned or were refused, "
        "carry them out, or wait: their files are kept for 7 days."
    ),
    # Sheets: CSV, JSON Lines and workbooks
    "file_empty": "The file is empty.",
    "encoding_not_utf16": "This is not UTF-16: it would begin with a byte order mark.",
    "columns_unreadable": "'columns' is written like Artikel:name;Preis:price.",
    "columns_repeat_heading": "One column is given twice.",
    "columns_repeat_field": "Two columns are given for one field.",
    "columns_field_unknown": "An item has no '{name}'.",
    "columns_heading_unknown": "There is no column '{heading}'. The headings are: {headings}.",
    "headings_unreadable": "The headings cannot be read. Is a quote there not closed?",
    "heading_missing": "Column {number} has no heading.",
    "heading_repeated": "The column '{name}' is there twice.",
    "headings_unknown": (
        "No heading here is a field of an item. The fields are: {known}. "
        "Say which of these columns is which of them: {headings}."
    ),
    "too_many_columns": "There are more than {maximum:,} columns.",
    "record_too_long": "The record that begins in line {line} is too long. Is a quote there not closed?",
    "record_width": "The number of cells is {cells}, and that of columns {columns}.",
    "record_unreadable": "There are characters here that cannot be read.",
    "quote_not_closed": "A quote is opened here and never closed. Nothing after it was read.",
    "quote_misplaced": "A quote stands within a cell. There it is written twice, and the cell has quotes around it.",
    "line_too_long": "Line {number} is too long: at most {maximum:,} bytes are read.",
    "workbook_old": "This is a workbook of an old Excel, or an encrypted one. Save it as .xlsx, without a password.",
    "workbook_unreadable": "The workbook cannot be read. Save it anew as .xlsx, without a password, or as CSV.",
    "workbook_too_large": "The workbook is too large: it unpacks to more than {maximum:,} bytes.",
    "workbook_lists_too_large": "The workbook is too large: its lists have more than {maximum:,} bytes.",
    "workbook_texts_too_many": "The workbook is too large: over {maximum:,} texts. Save it as CSV.",
    "worksheet_too_large": "The worksheet is too large: over {maximum:,} cells, or too much text. Save it as CSV.",
    "worksheet_unknown": "The workbook has no worksheet '{name}'.",
    "worksheet_missing": "The workbook has no worksheet.",
    "worksheet_empty": "The worksheet is empty.",
    "cell_name_missing": "The name is missing.",
    "cell_price_missing": "The price is missing.",
    "cell_price_unreadable": "A price is a number such as 15.99, without a sign, a currency or an exponent.",
    "cell_price_unclear": "'{text}' could be {amounts}. Say which decimal mark the file has.",
    "cell_number_missing": "The {field} is missing.",
    "cell_number_unreadable": "A {field} is a whole number, such as 12.",
    "cell_number_unclear": "'{text}' is not clear. Write a {field} without a mark between the thousands.",
    "cell_text_a_number": "'{field}' is text and stands in quotes: a number has lost its leading zeros.",
    "cell_text_unreadable": "'{field}' is text.",
    "cell_archived_missing": "'archived' is missing: it is true or false.",
    "cell_archived_unreadable": "'archived' is true or false; yes, no, 1 and 0 will do in a sheet.",
    "cell_without_value": "The cell of '{field}' holds {content}.",
    "cell_error": "an error, such as #REF!",
    "cell_formula": "a formula: keep its value only",
    "cell_date": "a date or a time",
    "cell_tags_unreadable": "'tags' is a list of texts; in a sheet, with semicolons between them.",
    # Webhooks
    "webhook_not_found": "Webhook not found.",
    "delivery_not_found": "Delivery not found.",
    "webhook_inactive": "The webhook is not active, and sends nothing.",
    "webhook_pending": "The webhook's receiver has not answered the challenge yet. Verify the webhook first.",
    "webhook_orphaned": "Its owner may not have these changes sent any more. Take the webhook over to let it go on.",
    "webhook_challenge_wrong": "This is not what the last challenge of this webhook said.",
    "webhook_creation_operator": "Only the operator adds webhooks here, at the command line.",
    "too_many_webhooks": "There are too many webhooks of yours, or of this store. Delete one.",
    "too_many_tests": "This webhook was tested too often. Try again in a minute.",
    "url_unreadable": "A URL is written like https://shop.example/hook, without a user, a password or a fragment.",
    "url_host_invalid": "This URL has no such host or port as there can be.",
    "url_port_refused": "This port may not be reached from here. These may: 80, 443, 8080 and 8443.",
    "url_address_refused": "This address may not be reached from here.",
    # Changes as a stream, and exports
    "resync_required": (
        "The changes after this cursor are no longer kept. Go on from `cursor`, and then read everything anew."
    ),
    "webhook_cursor_forgotten": "The changes after this one are no longer kept. Choose a later one.",
    "last_event_id_unreadable": "Last-Event-ID is the id of an event that came from here.",
    "followers_too_many": "Too many follow the changes here. Try again later.",
    "too_many_streams": "You have as many streams of changes open as a user may have. Close one.",
    "too_many_exports": "Too many exports of yours are under way. Read them, and try again.",
    "exports_full": "Too many exports are under way here. Try again soon.",
    # Limits and quotas
    "too_many_requests": "There are too many requests from you, or from your network. Wait a moment.",
    "quota_used": "{problem} {used:,} of {limit:,} are used.",
    "quota_of_bytes_used": "{problem} {used:,.1f} of {limit:,.0f} MiB are used.",
    # The server and its database
    "unavailable": "The server is busy. Try again soon.",
    "server_stopping": "The server is being stopped. Try again soon.",
    "not_ready": "{finding}",
    "database_silent": "The database does not answer. Try again soon.",
    "database_damaged": "The database is damaged. Its operator has to repair it.",
    "outcome_unknown": "The database was lost during the change. Look whether it was made.",
    "internal_error": "Something went wrong here. The log has it, under the request's id.",
    # Forms of the console
    "form_unreadable": "The form cannot be read. Load the page again, and send it once more.",
    "form_of_another_type": "This is not what the form sends. Load the page again, and send its form.",
    "form_of_another_site": "This was sent by a page of another site, and is refused.",
    "form_without_key": ("This form came without its key, which prevents double sending. Check it, and send it again."),
    "form_of_another_user": ("This form was shown to another user, before you signed in here. Nothing of it is saved."),
    "form_character": "There is a character that cannot be stored: NUL. Take it out.",
    "form_file_missing": "Choose a file.",
    "form_file_empty": "Choose a file that is not empty.",
    "form_file_cut": "The file did not arrive whole. Send it again.",
    "form_price_unreadable": "A price is a number such as 15.99.",
    "form_number_unreadable": "A whole number is wanted, such as 12 or -3.",
    "form_day_unreadable": "A day is written like 2026-11-25.",
    "form_no_items": "Select the items to change.",
    "form_no_action": "Choose an action.",
    "form_percent_unreadable": "Enter a percentage: 10 raises the prices by a tenth, -10 lowers them.",
    # Adopting the course's database
    "adoption_overtaken": "Somebody took one of the names meanwhile. Nothing is written: try again.",
    "adoption_into_existing": (
        "There are stores in Storekeeper's database. --into-existing adopts beside them, not into them."
    ),
    "adoption_user_unknown": "There will be no user '{name}'. A dry run tells the new names.",
    "adoption_store_taken": "Storekeeper has a store '{name}' already: choose another name for what has no store.",
    "adoption_price_missing": "It has no price.",
    "adoption_price_no_number": "Its price is not a number.",
    "adoption_price_infinite": "Its price is infinite.",
    "adoption_store_missing": "It has no store.",
    "adoption_store_gone": "Its store {store!r} is gone.",
}
