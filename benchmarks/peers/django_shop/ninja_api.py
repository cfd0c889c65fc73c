"""Django Ninja: typed functions, with Ninja JWT for the tokens."""

from decimal import Decimal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path
from ninja import ModelSchema, Router, Schema
from ninja.errors import HttpError
from ninja.pagination import CursorPagination, LimitOffsetPagination, paginate
from ninja_extra import NinjaExtraAPI
from ninja_jwt.authentication import JWTAuth
from ninja_jwt.controller import NinjaJWTDefaultController

from benchmarks.peers.django_shop.models import Item

router = Router(auth=JWTAuth())


class ItemOut(ModelSchema):
    class Meta:
        model = Item
        fields = ("id", "name", "price", "store")


class ItemChange(Schema):
    price: Decimal


@router.get("/items", response=list[ItemOut])
@paginate(LimitOffsetPagination)
def list_items(request: HttpRequest) -> QuerySet[Item]:
    """Pages by number of items, with their count."""
    return Item.objects.all()


@router.get("/feed", response=list[ItemOut])
@paginate(CursorPagination, ordering=["id"])
def feed_items(request: HttpRequest, search: str = "") -> QuerySet[Item]:
    """Pages by cursor, which count nothing."""
    return Item.objects.filter(name__icontains=search) if search else Item.objects.all()


@router.get("/items/{name}", response=ItemOut)
def read_item(request: HttpRequest, name: str) -> Item:
    return get_object_or_404(Item, name=name)


@router.patch("/items/{name}", response=ItemOut)
def update_item(request: HttpRequest, name: str, change: ItemChange) -> Item:
    item = get_object_or_404(Item, name=name)
    if not item.store.members.filter(pk=request.user.pk).exists():
        raise HttpError(403, "Only members may do this.")
    item.price = change.price
    item.save()
    return item


api = NinjaExtraAPI()
api.register_controllers(NinjaJWTDefaultController)
api.add_router("", router)

urlpatterns = [path("api/", api.urls)]
