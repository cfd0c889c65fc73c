module.exports = require("@strapi/strapi").factories.createCoreRouter("api::item.item", {
  config: { update: { policies: ["is-member"] } },
});
