module.exports = require("@strapi/strapi").factories.createCoreService("api::store.store");
