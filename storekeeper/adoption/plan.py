"""What becomes of the whole database: decided before anything is written, so that a dry run tells the same."""

import msgspec

from storekeeper.adoption import stores_and_items
from storekeeper.adoption import users as people
from storekeeper.adoption.decision import Decision
from storekeeper.adoption.source import LeftOut, Source
from storekeeper.adoption.stores_and_items import NewStore
from storekeeper.adoption.users import NewUser
from storekeeper.domain import names
from storekeeper.errors import NotFound

NO_PLACE = {
    ("items_in_order", None): "Storekeeper has no orders.",
    ("orders", None): "Storekeeper has no orders.",
    ("users", "email"): "Storekeeper has no mail addresses.",
}


class AdoptionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says. Users are named as they are called in Storekeeper."""

    currency: str
    owner: str | None = None
    admin: str | None = None
    lost_store: str | None = None


class ExistingNames(msgspec.Struct, frozen=True):
    """The names that are in Storekeeper's database already."""

    users: list[str]
    stores: list[str]


class AdoptionPlan(msgspec.Struct, frozen=True):
    """`owner` and `admin` are names of users of the plan; the owner's may be of one who is there already."""

    users: list[NewUser]
    stores: list[NewStore]
    currency: str
    owner: str | None
    admin: str | None
    decisions: list[Decision]


def create_plan(source: Source, taken: ExistingNames, options: AdoptionOptions) -> AdoptionPlan:
    """NotFound for an owner or administrator who is nobody, Invalid for a name that cannot be one."""
    decisions: list[Decision] = []
    users = people.plan_users(source, taken.users, decisions)
    stores = stores_and_items.plan_stores(source, taken.stores, options.currency, options.lost_store, decisions)
    decisions += map(_left_out, source.left_out)
    new = [each.username for each in users]
    return AdoptionPlan(
        users,
        stores,
        options.currency,
        _called(options.owner, [*new, *taken.users]),
        _called(options.admin, new),
        decisions,
    )


def _left_out(each: LeftOut) -> Decision:
    kind = "column_not_taken" if each.column else "table_not_taken"
    name = f"{each.table}.{each.column}" if each.column else each.table
    reason = NO_PLACE.get((each.table, each.column), "Storekeeper does not know it.")
    return Decision(kind, None, name, None, f"{each.count:,} {'values' if each.column else 'rows'}. {reason}")


def _called(name: str | None, known: list[str]) -> str | None:
    """The user of that name, as it is written there."""
    if name is None:
        return None
    for each in known:
        if names.fold(each) == names.fold(name):
            return each
    raise NotFound("adoption_user_unknown", name=name)
