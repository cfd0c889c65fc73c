/// Stores with their members, and items. Whoever is signed in may read; members may change. The rest is PocketBase's default.
migrate((app) => {
  const signedIn = "@request.auth.id != ''"
  const users = app.findCollectionByNameOrId("users")
  const dates = [
    { type: "autodate", name: "created", onCreate: true },
    { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
  ]

  const stores = new Collection({
    type: "base",
    name: "stores",
    listRule: signedIn,
    viewRule: signedIn,
    fields: [
      { type: "text", name: "name", required: true },
      { type: "relation", name: "members", collectionId: users.id, maxSelect: 999 },
      ...dates,
    ],
    indexes: ["CREATE UNIQUE INDEX idx_stores_name ON stores (name)"],
  })
  app.save(stores)

  const items = new Collection({
    type: "base",
    name: "items",
    listRule: signedIn,
    viewRule: signedIn,
    updateRule: "store.members.id ?= @request.auth.id",
    fields: [
      { type: "text", name: "name", required: true },
      { type: "number", name: "price" },
      { type: "relation", name: "store", collectionId: stores.id, maxSelect: 1, required: true },
      ...dates,
    ],
    indexes: ["CREATE UNIQUE INDEX idx_items_name ON items (name, store)"],
  })
  app.save(items)

  // With an administrator there is no page that waits for the first one.
  const boss = new Record(app.findCollectionByNameOrId("_superusers"))
  boss.set("email", "administrator@example.com")
  boss.set("password", $security.randomString(30))
  app.save(boss)

  if ($os.getenv("POCKETBASE_LOG_DAYS")) {
    const settings = app.settings()
    settings.logs.maxDays = Number($os.getenv("POCKETBASE_LOG_DAYS"))
    app.save(settings)
  }
})
