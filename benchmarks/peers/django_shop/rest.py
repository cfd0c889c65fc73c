"""Django REST framework: the views, serializers and routes, with Simple JWT for the tokens."""

from typing import ClassVar

from django.urls import include, path
from rest_framework import filters, mixins, permissions, routers, serializers, viewsets
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from benchmarks.peers.django_shop.models import Item


class ItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = Item
        fields: ClassVar = ["id", "name", "price", "store"]


class IsMemberOrReads(permissions.BasePermission):
    def has_object_permission(self, request: Request, view: APIView, obj: Item) -> bool:
        if request.method in permissions.SAFE_METHODS:
            return True
        return bool(obj.store.members.filter(pk=request.user.pk).exists())


class ItemViewSet(mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Pages by number of items, with their count."""

    queryset = Item.objects.all()
    serializer_class = ItemSerializer
    permission_classes: ClassVar = [permissions.IsAuthenticated, IsMemberOrReads]
    lookup_field = "name"


class ByCursor(CursorPagination):
    ordering = "id"


class ItemFeed(mixins.ListModelMixin, viewsets.GenericViewSet):
    """Pages by cursor, which count nothing."""

    queryset = Item.objects.all()
    serializer_class = ItemSerializer
    pagination_class = ByCursor
    filter_backends: ClassVar = [filters.SearchFilter]
    search_fields: ClassVar = ["name"]


router = routers.SimpleRouter()
router.register("items", ItemViewSet)
router.register("feed", ItemFeed, basename="feed")

urlpatterns = [
    path("api/", include(router.urls)),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
]
