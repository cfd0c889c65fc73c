"""The course's app: Flask-RESTful, Flask-JWT-Extended and Flask-SQLAlchemy, put together as the lecture does.

Differs from the lecture where today's versions ask for it: callbacks have new names and take both halves of the token,
an identity is a string, tables are made here because `before_first_request` is gone. The key is long enough that PyJWT
does not warn on each request.
"""

import os
from typing import Any

from flask import Flask, Response, jsonify
from flask_jwt_extended import JWTManager
from flask_restful import Api  # type: ignore[import-untyped]

from benchmarks.course.models import db
from benchmarks.course.resources import BLOCKLIST, Item, ItemList, TokenRefresh, UserLogin, UserLogout

Json = dict[str, Any]
Refusal = tuple[Response, int]


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["COURSE_DATABASE_URL"]
    app.config["SQLALCHEMY_TRACK_MODIFICATIONS"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.secret_key = os.environ["COURSE_SECRET_KEY"]
    _add_resources(Api(app))
    _add_callbacks(JWTManager(app))
    db.init_app(app)
    with app.app_context():
        db.create_all()
    return app


def _add_resources(api: Api) -> None:
    api.add_resource(Item, "/item/<string:name>")
    api.add_resource(ItemList, "/items")
    api.add_resource(UserLogin, "/login")
    api.add_resource(TokenRefresh, "/refresh")
    api.add_resource(UserLogout, "/logout")


def _add_callbacks(jwt: JWTManager) -> None:
    @jwt.additional_claims_loader
    def add_claims_to_jwt(identity: str) -> Json:
        return {"is_admin": identity == "1"}

    @jwt.token_in_blocklist_loader
    def check_if_token_in_blocklist(_header: Json, payload: Json) -> bool:
        return payload["jti"] in BLOCKLIST

    @jwt.expired_token_loader
    def expired_token_callback(_header: Json, _payload: Json) -> Refusal:
        return jsonify({"message": "The token has expired.", "error": "token_expired"}), 401

    @jwt.invalid_token_loader
    def invalid_token_callback(_error: str) -> Refusal:
        return jsonify({"message": "Signature verification failed.", "error": "invalid_token"}), 401

    @jwt.unauthorized_loader
    def missing_token_callback(_error: str) -> Refusal:
        description = "Request does not contain an access token."
        return jsonify({"description": description, "error": "authorization_required"}), 401

    @jwt.needs_fresh_token_loader
    def token_not_fresh_callback(_header: Json, _payload: Json) -> Refusal:
        return jsonify({"description": "The token is not fresh.", "error": "fresh_token_required"}), 401

    @jwt.revoked_token_loader
    def revoked_token_callback(_header: Json, _payload: Json) -> Refusal:
        return jsonify({"description": "The token has been revoked.", "error": "token_revoked"}), 401
