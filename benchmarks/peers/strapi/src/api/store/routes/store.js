module.exports = require("@strapi/strapi").factories.createCoreRouter("api::store.store");
