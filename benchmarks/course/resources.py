"""The course's resources that are measured: a class for each URL, a method for each verb."""

import hmac
from typing import Any

from flask_jwt_extended import create_access_token, create_refresh_token, get_jwt, get_jwt_identity, jwt_required
from flask_restful import Resource, reqparse  # type: ignore[import-untyped]

from benchmarks.course.models import ItemModel, UserModel

Answer = tuple[dict[str, Any], int]

BLOCKLIST: set[str] = set()

_user_parser = reqparse.RequestParser()
_user_parser.add_argument("username", type=str, required=True, help="This field cannot be blank.")
_user_parser.add_argument("password", type=str, required=True, help="This field cannot be blank.")

_page_parser = reqparse.RequestParser()
_page_parser.add_argument("limit", type=int, location="args")
_page_parser.add_argument("offset", type=int, default=0, location="args")


class Item(Resource):  # type: ignore[misc]
    parser = reqparse.RequestParser()
    parser.add_argument("price", type=float, required=True, help="This field cannot be left blank!")
    parser.add_argument("store_id", type=int, required=True, help="Every item needs a store id.")

    @jwt_required()  # type: ignore[untyped-decorator]
    def get(self, name: str) -> Answer:
        item = ItemModel.find_by_name(name)
        if item:
            return item.json(), 200
        return {"message": "Item not found."}, 404

    def put(self, name: str) -> Answer:  # open to anybody, as in the course
        data = Item.parser.parse_args()
        item = ItemModel.find_by_name(name)
        if item:
            item.price = data["price"]
        else:
            item = ItemModel(name=name, **data)
        item.save_to_db()
        return item.json(), 200


class ItemList(Resource):  # type: ignore[misc]
    @jwt_required(optional=True)  # type: ignore[untyped-decorator]
    def get(self) -> Answer:
        """The course sends every item there is; limit and offset are ours."""
        page = _page_parser.parse_args()
        items = [item.json() for item in ItemModel.find_page(page["offset"], page["limit"])]
        if get_jwt_identity():
            return {"items": items}, 200
        return {"items": [item["name"] for item in items], "message": "More data available if you log in."}, 200


class UserLogin(Resource):  # type: ignore[misc]
    def post(self) -> Answer:
        data = _user_parser.parse_args()
        user = UserModel.find_by_username(data["username"])
        if user and hmac.compare_digest(user.password, data["password"]):
            tokens = {
                "access_token": create_access_token(identity=str(user.id), fresh=True),
                "refresh_token": create_refresh_token(str(user.id)),
            }
            return tokens, 200
        return {"message": "Invalid credentials!"}, 401


class UserLogout(Resource):  # type: ignore[misc]
    @jwt_required()  # type: ignore[untyped-decorator]
    def post(self) -> Answer:
        BLOCKLIST.add(get_jwt()["jti"])
        return {"message": f"User <id={get_jwt_identity()}> successfully logged out."}, 200


class TokenRefresh(Resource):  # type: ignore[misc]
    @jwt_required(refresh=True)  # type: ignore[untyped-decorator]
    def post(self) -> Answer:
        return {"access_token": create_access_token(identity=get_jwt_identity(), fresh=False)}, 200
